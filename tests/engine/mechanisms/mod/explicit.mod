TITLE Equations solved by METHOD euler, for tests

NEURON {
    SUFFIX explicit
    NONSPECIFIC_CURRENT i
    RANGE inf
}

PARAMETER { g = 1e-4 }

ASSIGNED { v (mV) i (mA/cm2) inf }

STATE { e1 e2 }

INITIAL {
    e1 = 0.1
    e2 = 0.4
}

BREAKPOINT {
    SOLVE plain METHOD euler
    i = g * (e1 - e2) * (v + 60)
}

DERIVATIVE plain {
    inf = 1 / (1 + exp(-(v + 40) / 9))
    e1' = -e1 * e2 + inf
    e2' = e1 - e2
}
