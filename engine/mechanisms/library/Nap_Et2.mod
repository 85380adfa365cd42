TITLE Persistent sodium current

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Magistretti J, Alonso A (1999) J Gen Physiol 114:491-509.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX Nap_Et2
    USEION na READ ena WRITE ina
    RANGE gbar, g, ina
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.00172 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
    h   : slow inactivation
}

ASSIGNED {
    v (mV)
    ena (mV)
    g (S/cm2)
    ina (mA/cm2)
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
    g = gbar * m * m * m * h
    ina = g * (v - ena)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt
UNITSOFF
    qt = 2.3^((34 - 21) / 10)

    minf = 1 / (1 + exp(-(v + 52.6) / 4.6))
    mtau = 6 / ((0.182 * linoid(v + 38, 6) + 0.124 * linoid(-(v + 38), 6)) * qt)

    hinf = 1 / (1 + exp((v + 48.8) / 10))
    htau = 1 / ((2.88e-6 * linoid(-(v + 17), 4.63) + 6.94e-6 * linoid(v + 64.4, 2.63)) * qt)
UNITSON
}

: y / (1 - exp(-y / k)), and the first two terms of its series where numerator and denominator vanish together
FUNCTION linoid(y (mV), k (mV)) (mV) {
    IF (fabs(y / k) < 1e-6) {
        linoid = k + y / 2
    } ELSE {
        linoid = y / (1 - exp(-y / k))
    }
}
