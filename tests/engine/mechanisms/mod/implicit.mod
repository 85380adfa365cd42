TITLE Nonlinear equations and a loop, for tests of derivimplicit and WHILE

NEURON {
    SUFFIX implicit
    NONSPECIFIC_CURRENT i
    RANGE turns, root, inf
}

PARAMETER { g = 1e-4 k = 0.3 }

ASSIGNED { v (mV) i (mA/cm2) turns root inf }

STATE { z w }

INITIAL {
    LOCAL step
    z = 0.5
    w = 0.2
    turns = 0
    root = 10
    step = 1
    WHILE (fabs(step) > 1e-12 && turns < 60) {
        step = (root * root - (v + 100)) / (2 * root)
        root = root - step
        turns = turns + 1
    }
}

BREAKPOINT {
    SOLVE bent METHOD derivimplicit
    i = g * z * w * (v + 60) + 1e-7 * root
}

DERIVATIVE bent {
    inf = 1 / (1 + exp(-(v + 40) / 9))
    z' = inf - z * z * z - k * z * w
    w' = z / (1 + w * w) - w
}
