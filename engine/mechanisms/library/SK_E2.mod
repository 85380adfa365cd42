TITLE Potassium current that calcium opens, SK

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Kohler M et al. (1996) Science 273:1709-1714.

The gate follows the calcium inside within 1 ms; neither voltage nor temperature is read. Below 1e-7 mM of calcium,
1e-7 mM is added, as the publication does against a division by zero.
ENDCOMMENT

NEURON {
    SUFFIX SK_E2
    USEION k READ ek WRITE ik
    USEION ca READ cai
    RANGE gbar, g, ik
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (mM) = (milli/liter)
}

PARAMETER {
    gbar = 0.0441 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    z   : activation
}

ASSIGNED {
    v (mV)
    ek (mV)
    cai (mM)
    g (S/cm2)
    ik (mA/cm2)
    zinf
    ztau (ms)
}

INITIAL {
    rates(cai)
    z = zinf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * z
    ik = g * (v - ek)
}

DERIVATIVE gates {
    rates(cai)
    z' = (zinf - z) / ztau
}

PROCEDURE rates(c (mM)) {
    LOCAL ca
UNITSOFF
    ca = c
    IF (ca < 1e-7) {
        ca = ca + 1e-7
    }
    zinf = 1 / (1 + (0.00043 / ca)^4.8)
    ztau = 1
UNITSON
}
