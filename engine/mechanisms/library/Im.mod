TITLE Muscarinic potassium current

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Adams PR, Brown DA, Constanti A (1982) J Physiol 330:537-572.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX Im
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
    gbar = 6.75e-5 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
}

ASSIGNED {
    v (mV)
    ek (mV)
    g (S/cm2)
    ik (mA/cm2)
    minf
    mtau (ms)
}

INITIAL {
    rates(v)
    m = minf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m
    ik = g * (v - ek)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt, opening, closing
UNITSOFF
    qt = 2.3^((34 - 21) / 10)
    opening = 0.0033 * exp(0.1 * (v + 35))
    closing = 0.0033 * exp(-0.1 * (v + 35))
    mtau = 1 / ((opening + closing) * qt)
    minf = opening / (opening + closing)
UNITSON
}
