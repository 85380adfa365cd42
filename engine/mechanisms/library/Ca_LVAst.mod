TITLE Calcium current of low threshold

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Avery RB, Johnston D (1996) J Neurosci 16:5567-5582 and Randall AD, Tsien RW (1997) Neuropharmacology
36:879-893, moved by -10 mV for the liquid junction.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX Ca_LVAst
    USEION ca READ eca WRITE ica
    RANGE gbar, g, ica
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.00343 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
    h   : inactivation
}

ASSIGNED {
    v (mV)
    eca (mV)
    g (S/cm2)
    ica (mA/cm2)
    minf
    mtau (ms)
    hinf
    htau (ms)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m * m * h
    ica = g * (v - eca)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt, u
UNITSOFF
    qt = 2.3^((34 - 21) / 10)
    u = v + 10

    minf = 1 / (1 + exp(-(u + 30) / 6))
    mtau = (5 + 20 / (1 + exp((u + 25) / 5))) / qt

    hinf = 1 / (1 + exp((u + 80) / 6.4))
    htau = (20 + 50 / (1 + exp((u + 40) / 7))) / qt
UNITSON
}
