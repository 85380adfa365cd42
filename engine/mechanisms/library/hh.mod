TITLE Squid axon: sodium, potassium and leak currents

COMMENT
Hodgkin AL, Huxley AF (1952) A quantitative description of membrane current and its application to conduction and
excitation in nerve. J Physiol 117:500-544, with the voltage turned so that inside minus outside is measured and the
cell rests near -65 mV. Names and default values are those of NEURON's mechanism hh. Rates are computed where they are
needed; there are no tables. The rates hold at 6.3 degC and grow threefold per 10 degC.
ENDCOMMENT

NEURON {
    SUFFIX hh
    USEION na READ ena WRITE ina
    USEION k READ ek WRITE ik
    NONSPECIFIC_CURRENT il
    RANGE gnabar, gkbar, gl, el, gna, gk
    GLOBAL minf, hinf, ninf, mtau, htau, ntau
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gnabar = 0.12 (S/cm2) <0, 1e9>   : sodium, all gates open
    gkbar = 0.036 (S/cm2) <0, 1e9>   : potassium, all gates open
    gl = 0.0003 (S/cm2) <0, 1e9>     : leak
    el = -54.3 (mV)                  : leak reversal
}

STATE {
    m   : sodium activation
    h   : sodium inactivation
    n   : potassium activation
}

ASSIGNED {
    v (mV)
    celsius (degC)
    ena (mV)
    ek (mV)
    gna (S/cm2)
    gk (S/cm2)
    ina (mA/cm2)
    ik (mA/cm2)
    il (mA/cm2)
    minf
    hinf
    ninf
    mtau (ms)
    htau (ms)
    ntau (ms)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
    n = ninf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    gna = gnabar * m * m * m * h
    ina = gna * (v - ena)
    gk = gkbar * n * n * n * n
    ik = gk * (v - ek)
    il = gl * (v - el)
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
    n' = (ninf - n) / ntau
}

PROCEDURE rates(v (mV)) {
    LOCAL opening, closing, both, q10
UNITSOFF
    q10 = 3^((celsius - 6.3) / 10)

    opening = 0.1 * vtrap(-(v + 40), 10)
    closing = 4 * exp(-(v + 65) / 18)
    both = opening + closing
    mtau = 1 / (q10 * both)
    minf = opening / both

    opening = 0.07 * exp(-(v + 65) / 20)
    closing = 1 / (exp(-(v + 35) / 10) + 1)
    both = opening + closing
    htau = 1 / (q10 * both)
    hinf = opening / both

    opening = 0.01 * vtrap(-(v + 55), 10)
    closing = 0.125 * exp(-(v + 65) / 80)
    both = opening + closing
    ntau = 1 / (q10 * both)
    ninf = opening / both
UNITSON
}

: x / (exp(x / y) - 1), and the first two terms of its series where numerator and denominator vanish together
FUNCTION vtrap(x (mV), y (mV)) (mV) {
    IF (fabs(x / y) < 1e-6) {
        vtrap = y * (1 - x / y / 2)
    } ELSE {
        vtrap = x / (exp(x / y) - 1)
    }
}
