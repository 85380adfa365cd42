TITLE Current of the cation channel that opens on hyperpolarization

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; after Kole
MHP, Hallermann S, Stuart GJ (2006) J Neurosci 26:1677-1687.

No temperature is read.
ENDCOMMENT

NEURON {
    SUFFIX Ih
    NONSPECIFIC_CURRENT i
    RANGE gbar, eh, g, i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 2e-4 (S/cm2) <0, 1e9>   : all gates open
    eh = -45 (mV)                  : reversal
}

STATE {
    m   : activation
}

ASSIGNED {
    v (mV)
    g (S/cm2)
    i (mA/cm2)
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
    i = g * (v - eh)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
}

PROCEDURE rates(v (mV)) {
    LOCAL opening, closing
UNITSOFF
    opening = 0.00643 * linoid(-(v + 154.9), 11.9)
    closing = 0.193 * exp(v / 33.1)
    mtau = 1 / (opening + closing)
    minf = opening / (opening + closing)
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
