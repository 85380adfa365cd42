TITLE Transient sodium current of axon and soma

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653, after
Colbert CM, Pan E (2002) Nat Neurosci 5:533-538.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX NaTa_t
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
    gbar = 2.04 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
    h   : inactivation
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
    LOCAL qt, opening, closing
UNITSOFF
    qt = 2.3^((34 - 21) / 10)

    opening = 0.182 * linoid(v + 38, 6)
    closing = 0.124 * linoid(-(v + 38), 6)
    mtau = 1 / ((opening + closing) * qt)
    minf = opening / (opening + closing)

    opening = 0.015 * linoid(-(v + 66), 6)
    closing = 0.015 * linoid(v + 66, 6)
    htau = 1 / ((opening + closing) * qt)
    hinf = opening / (opening + closing)
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
