TITLE Potassium current of type A of mitral cells

COMMENT
As in Migliore M, Cavarretta F, Marasco A, Tulumello E, Hines ML, Shepherd GM (2015) Synaptic clusters function as
odor operators in the olfactory bulb. PNAS 112:8499-8504, ModelDB 168591; after Wang XY, McKenzie JS, Kemm RE (1996)
J Physiol 490:439-453.

The rates hold at 24 degC and grow threefold per 10 degC.
ENDCOMMENT

NEURON {
    SUFFIX kamt
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
    gbar = 0.004 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    m   : activation
    h   : inactivation
}

ASSIGNED {
    v (mV)
    celsius (degC)
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
    g = gbar * m * h
    ik = g * (v - ek)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt
UNITSOFF
    qt = 3^((celsius - 24) / 10)

    minf = 1 / (1 + exp(-(v - 17.5) / 14))
    mtau = exp(0.075 * (v + 45)) / (qt * 0.04 * (1 + exp(0.1 * (v + 45))))

    hinf = 1 / (1 + exp((v + 41.7) / 6))
    htau = exp(0.198 * (v + 70)) / (qt * 0.018 * (1 + exp(0.2 * (v + 70))))
UNITSON
}
