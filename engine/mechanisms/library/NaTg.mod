TITLE Transient sodium current with movable gates

COMMENT
As in Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD,
Segev I (2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181,
ModelDB 238347: the kinetics of NaTa_t (Colbert CM, Pan E (2002) Nat Neurosci 5:533-538) with a shift and a slope of
its own for each gate.

The rates hold at 34 degC: they were measured at 21 degC and carry the fixed factor 2.3^1.3; celsius is not read.
ENDCOMMENT

NEURON {
    SUFFIX NaTg
    USEION na READ ena WRITE ina
    RANGE gbar, vshift_m, vshift_h, slope_m, slope_h, g, ina
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.168753 (S/cm2) <0, 1e9>   : all gates open
    vshift_m = 0 (mV)                  : added to the half-way voltage of activation, -38 mV
    vshift_h = 0 (mV)                  : added to that of inactivation, -66 mV
    slope_m = 6 (mV)                   : of activation
    slope_h = 6 (mV)                   : of inactivation
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
    LOCAL qt, u, opening, closing
UNITSOFF
    qt = 2.3^((34 - 21) / 10)

    u = v + 38 - vshift_m
    opening = 0.182 * linoid(u, slope_m)
    closing = 0.124 * linoid(-u, slope_m)
    mtau = 1 / ((opening + closing) * qt)
    minf = opening / (opening + closing)

    u = v + 66 - vshift_h
    opening = 0.015 * linoid(-u, slope_h)
    closing = 0.015 * linoid(u, slope_h)
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
