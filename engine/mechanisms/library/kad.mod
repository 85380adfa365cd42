TITLE Potassium current of type A, distal dendrites of hippocampal pyramidal cells

COMMENT
As in Migliore M, Messineo L, Ferrante M (2004) Dendritic Ih selectively blocks temporal summation of unsynchronized
distal inputs in CA1 pyramidal neurons. J Comput Neurosci 16:5-13, ModelDB 32992; after Hoffman DA, Magee JC,
Colbert CM, Johnston D (1997) Nature 387:869-875.

The rate of activation holds at 24 degC and grows fivefold per 10 degC, elsewhere temperature enters as RT/F only.
Activation takes at least 0.2 ms, inactivation 2 ms.
ENDCOMMENT

NEURON {
    SUFFIX kad
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
    gbar = 0.01 (S/cm2) <0, 1e9>   : all gates open
}

STATE {
    n   : activation
    l   : inactivation
}

ASSIGNED {
    v (mV)
    celsius (degC)
    ek (mV)
    g (S/cm2)
    ik (mA/cm2)
    ninf
    ntau (ms)
    linf
    ltau (ms)
}

INITIAL {
    rates(v)
    n = ninf
    l = linf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * n * l
    ik = g * (v - ek)
}

DERIVATIVE gates {
    rates(v)
    n' = (ninf - n) / ntau
    l' = (linf - l) / ltau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt, zeta, ratio
UNITSOFF
    qt = 5^((celsius - 24) / 10)

    zeta = -1.8 - 1 / (1 + exp((v + 40) / 5))
    ratio = shifted(zeta, v + 1)
    ninf = 1 / (1 + ratio)
    ntau = shifted(0.39 * zeta, v + 1) / (qt * 0.1 * (1 + ratio))
    IF (ntau < 0.2) {
        ntau = 0.2
    }

    linf = 1 / (1 + shifted(3, v + 56))
    ltau = 0.26 * (v + 50)
    IF (ltau < 2) {
        ltau = 2
    }
UNITSON
}

: exp(zeta * F * u / (R * T)) with u in mV and the constants of the publication
FUNCTION shifted(zeta, u (mV)) {
    shifted = exp(zeta * 1e-3 * u * 9.648e4 / (8.315 * (273.16 + celsius)))
}
