TITLE Calcium current of high threshold

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; after
Reuveni I, Friedman A, Amitai Y, Gutnick MJ (1993) J Neurosci 13:4609-4621.

No temperature is read.
ENDCOMMENT

NEURON {
    SUFFIX Ca_HVA
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
    gbar = 0.000992 (S/cm2) <0, 1e9>   : all gates open
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
    LOCAL opening, closing
UNITSOFF
    opening = 0.055 * linoid(v + 27, 3.8)
    closing = 0.94 * exp(-(v + 75) / 17)
    mtau = 1 / (opening + closing)
    minf = opening / (opening + closing)

    opening = 0.000457 * exp(-(v + 13) / 50)
    closing = 0.0065 / (1 + exp(-(v + 15) / 28))
    htau = 1 / (opening + closing)
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
