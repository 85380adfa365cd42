TITLE Delayed rectifier potassium current of hippocampal pyramidal cells

COMMENT
As in Migliore M, Messineo L, Ferrante M (2004) Dendritic Ih selectively blocks temporal summation of unsynchronized
distal inputs in CA1 pyramidal neurons. J Comput Neurosci 16:5-13, ModelDB 32992.

Temperature enters as RT/F only; the time constant is never below 2 ms.
ENDCOMMENT

NEURON {
    SUFFIX kdr
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
    n   : activation
}

ASSIGNED {
    v (mV)
    celsius (degC)
    ek (mV)
    g (S/cm2)
    ik (mA/cm2)
    ninf
    ntau (ms)
}

INITIAL {
    rates(v)
    n = ninf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * n
    ik = g * (v - ek)
}

DERIVATIVE gates {
    rates(v)
    n' = (ninf - n) / ntau
}

PROCEDURE rates(v (mV)) {
    LOCAL ratio
UNITSOFF
    ratio = shifted(-3, v - 13)
    ninf = 1 / (1 + ratio)
    ntau = shifted(-2.1, v - 13) / (0.02 * (1 + ratio))
    IF (ntau < 2) {
        ntau = 2
    }
UNITSON
}

: exp(zeta * F * u / (R * T)) with u in mV and the constants of the publication
FUNCTION shifted(zeta, u (mV)) {
    shifted = exp(zeta * 1e-3 * u * 9.648e4 / (8.315 * (273.16 + celsius)))
}
