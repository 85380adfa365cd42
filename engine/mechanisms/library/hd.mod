TITLE Current of the cation channel that opens on hyperpolarization, hippocampal dendrites

COMMENT
As in Migliore M, Messineo L, Ferrante M (2004) Dendritic Ih selectively blocks temporal summation of unsynchronized
distal inputs in CA1 pyramidal neurons. J Comput Neurosci 16:5-13, ModelDB 32992; after Magee JC (1998) J Neurosci
18:7613-7624.

The rate holds at 33 degC and grows 4.5-fold per 10 degC.
ENDCOMMENT

NEURON {
    SUFFIX hd
    NONSPECIFIC_CURRENT i
    RANGE gbar, eh, vhalf, g, i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 5e-5 (S/cm2) <0, 1e9>   : all gates open
    eh = -30 (mV)                  : reversal
    vhalf = -81 (mV)               : where half the gates are open; -73 near the soma
}

STATE {
    l   : activation
}

ASSIGNED {
    v (mV)
    celsius (degC)
    g (S/cm2)
    i (mA/cm2)
    linf
    ltau (ms)
}

INITIAL {
    rates(v)
    l = linf
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * l
    i = g * (v - eh)
}

DERIVATIVE gates {
    rates(v)
    l' = (linf - l) / ltau
}

PROCEDURE rates(v (mV)) {
    LOCAL qt
UNITSOFF
    qt = 4.5^((celsius - 33) / 10)
    linf = 1 / (1 + exp((v - vhalf) / 8))
    ltau = exp(0.033264 * (v + 75)) / (qt * 0.011 * (1 + exp(0.08316 * (v + 75))))
UNITSON
}
