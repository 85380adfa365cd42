TITLE Persistent potassium current of the soma

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Korngreen A, Sakmann B (2000) J Physiol 525:621-639, moved by -10 mV for the liquid junction.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX K_Pst
    USEION k READ ek WRITE ik
    RANGE gbar, g, ik
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.00223 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
    h   : inactivation
}

ASSIGNED {
    v (mV)
    ek (mV)
    g (S/cm2)
    ik (mA/cm2)
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
    ik = g * (v - ek)
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

    minf = 1 / (1 + exp(-(u + 1) / 12))
    IF (u < -50) {
        mtau = (1.25 + 175.03 * exp(0.026 * u)) / qt
    } ELSE {
        mtau = (1.25 + 13 * exp(-0.026 * u)) / qt
    }

    hinf = 1 / (1 + exp((u + 54) / 11))
    htau = (360 + (1010 + 24 * (u + 55)) * exp(-((u + 75) / 48)^2)) / qt
UNITSON
}
