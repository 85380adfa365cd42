TITLE Delayed rectifier potassium current of mitral cells

COMMENT
As in Migliore M, Cavarretta F, Marasco A, Tulumello E, Hines ML, Shepherd GM (2015) Synaptic clusters function as
odor operators in the olfactory bulb. PNAS 112:8499-8504, ModelDB 168591; after Wang XY, McKenzie JS, Kemm RE (1996)
J Physiol 490:439-453.

The rates hold at 24 degC and grow threefold per 10 degC.
ENDCOMMENT

NEURON {
    SUFFIX kdrmt
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
    gbar = 0.001 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
}

ASSIGNED {
    v (mV)
    celsius (degC)
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
    LOCAL qt
UNITSOFF
    qt = 3^((celsius - 24) / 10)
    minf = 1 / (1 + exp(-(v - 21) / 10))
    mtau = exp(0.0275 * (v + 50)) / (qt * 0.0035 * (1 + exp(0.055 * (v + 50))))
UNITSON
}
