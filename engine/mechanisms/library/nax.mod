TITLE Sodium current of the axon of hippocampal pyramidal cells

COMMENT
As in Migliore M, Messineo L, Ferrante M (2004) Dendritic Ih selectively blocks temporal summation of unsynchronized
distal inputs in CA1 pyramidal neurons. J Comput Neurosci 16:5-13, ModelDB 32992; and in Migliore M, Cavarretta F,
Marasco A, Tulumello E, Hines ML, Shepherd GM (2015) Synaptic clusters function as odor operators in the olfactory
bulb. PNAS 112:8499-8504, ModelDB 168591.

The rates hold at 24 degC and grow twofold per 10 degC; no time constant is below 0.02 ms (activation) or 0.5 ms
(inactivation).
ENDCOMMENT

NEURON {
    SUFFIX nax
    USEION na READ ena WRITE ina
    RANGE gbar, sh, g, ina
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.06 (S/cm2) <0, 1e9>   : all gates open
    sh = 0 (mV)                    : shift of all gates
}

STATE {
    m   : activation
    h   : inactivation
}

ASSIGNED {
    v (mV)
    celsius (degC)
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
    LOCAL qt, u, opening, closing
UNITSOFF
    qt = 2^((celsius - 24) / 10)

    u = v + 30 - sh
    opening = 0.4 * linoid(u, 7.2)
    closing = 0.124 * linoid(-u, 7.2)
    minf = opening / (opening + closing)
    mtau = 1 / ((opening + closing) * qt)
    IF (mtau < 0.02) {
        mtau = 0.02
    }

    u = v + 45 - sh
    htau = 1 / ((0.03 * linoid(u, 1.5) + 0.01 * linoid(-u, 1.5)) * qt)
    IF (htau < 0.5) {
        htau = 0.5
    }
    hinf = 1 / (1 + exp((v + 50 - sh) / 4))
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
