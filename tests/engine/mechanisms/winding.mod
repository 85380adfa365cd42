TITLE Every construct of the first tier in one file, for tests

COMMENT
No channel of nature: branches inside branches, names that shadow one another, variables that live from one
kernel to the next, functions that call functions.
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX winding
    USEION na READ ena, nai WRITE ina
    USEION x READ ex WRITE ix VALENCE -1
    NONSPECIFIC_CURRENT leak, i
    RANGE gmax, lambda, held
    GLOBAL q, shift
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    F = (faraday) (coulombs)
    R = (k-mole) (joule/degC)
    TWO = 2 (1)
}

PARAMETER {
    gmax = 1e-3 (S/cm2) <0, 1e9>
    lambda = 0.5            : a word of Python
    q = 2.5
    shift = -5 (mV) <-50, 50>
    s0 = 0.25
    celsius = 6.3 (degC)
    v (mV)
}

CONSTANT {
    SIX = 6
}

STATE { s FROM 0 TO 1  n  w }

ASSIGNED {
    ena (mV) nai (mM) ex (mV)
    ina (mA/cm2) ix (mA/cm2) leak (mA/cm2) i (mA/cm2)
    sinf  stau (ms)
    held          : set in INITIAL, read later
    seen          : written by one kernel, read by another
    diam (um)
    area (um2)
}

LOCAL memory

INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }

INITIAL {
    LOCAL a
    memory = 3
    held = gmax * TWO + diam / area
    rates(v)
    n = sinf
    {
        LOCAL a
        a = 5
        w = a / SIX
    }
    if (v > -60 && !(v > 0) || v == 20) {
        w = w + 1
    } else if (v < -90) {
        w = -w
    }
    a = (v > -50) + TWO
    w = w * a
}

BREAKPOINT {
    LOCAL drive
    SOLVE states METHOD cnexp
    drive = v - ena + 1e3 * R * (celsius + 273.15 (degC)) / F * log(nai / 10)
    IF (v < -70) {
        drive = drive / 2
        seen = 1
    } ELSE {
        IF (v < -40) { seen = s } ELSE { seen = n * n }
    }
    ina = gmax * s^3 * n * drive
    ix = gmax * lambda * w * (v - ex) * rise(v, 7)
    leak = held * (v + 60)
    i = 1e-6 * exprelr((v + 30) / 5) + 1e-7 * memory
}

DERIVATIVE states {
    rates(v)
    s' = (sinf - s) / stau
    n' = bound(0.1, 2) * (1 - n) - seen * n
    w' = 0.01 * (s - 0.5)
}

PROCEDURE rates(v (mV)) {      : its v shadows the membrane's
    LOCAL s
    TABLE sinf, stau DEPEND celsius FROM -100 TO 100 WITH 200
UNITSOFF
    v = v + shift
    s = q^((celsius - 6.3) / 10)
    sinf = rise(v, 9)
    if (fabs(v + 45) < 1e-6) {
        stau = 1
    } else {
        stau = 0.5 + 4 / (s * (1 + ((v + 45) / 20)^2))
    }
UNITSON
}

FUNCTION rise(u (mV), k (mV)) (1) {
    rise = 1 / (1 + exp(-(u + 40) / k))
}

FUNCTION bound(low, high) {
    LOCAL x
    x = -2^2 + 5 * rise(v, 11)
    bound = x
    if (x < low) { bound = low }
    if (x > high) { bound = high }
}
