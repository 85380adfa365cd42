TITLE Sodium current of soma and dendrites of hippocampal pyramidal cells, with slow inactivation

COMMENT
As in Migliore M, Messineo L, Ferrante M (2004) Dendritic Ih selectively blocks temporal summation of unsynchronized
distal inputs in CA1 pyramidal neurons. J Comput Neurosci 16:5-13, ModelDB 32992: the gates of nax, and a slow one
that attenuates the later spikes of a train.

The fast rates hold at 24 degC and grow twofold per 10 degC. How much of the current the slow gate leaves is ar: 1
takes it out of use.
ENDCOMMENT

NEURON {
    SUFFIX na3
    USEION na READ ena WRITE ina
    RANGE gbar, sh, ar, g, ina
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.03 (S/cm2) <0, 1e9>   : all gates open
    sh = 0 (mV)                    : shift of all gates
    ar = 1 (1)                     : share that never inactivates slowly, 0 to 1
}

STATE {
    m   : activation
    h   : inactivation
    s   : slow inactivation
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
    sinf
    stau (ms)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
    s = sinf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m * m * m * h * s
    ina = g * (v - ena)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
    s' = (sinf - s) / stau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt, u, opening, closing, fresh
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

    fresh = 1 / (1 + exp((v + 58 - sh) / 2))
    sinf = fresh + ar * (1 - fresh)
    u = v + 60 - sh
    stau = shifted(2.4, u) / (0.0003 * (1 + shifted(12, u)))
    IF (stau < 10) {
        stau = 10
    }
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

: exp(zeta * F * u / (R * T)) with u in mV and the constants of the publication
FUNCTION shifted(zeta, u (mV)) {
    shifted = exp(zeta * 1e-3 * u * 9.648e4 / (8.315 * (273.16 + celsius)))
}
