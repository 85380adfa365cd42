TITLE Coupled and nonlinear equations, for tests of derivimplicit, euler, LINEAR and WHILE

NEURON {
    SUFFIX implicit
    NONSPECIFIC_CURRENT i
    RANGE turns, root
}

PARAMETER { g = 1e-4 tau = 4 k = 0.3 }

ASSIGNED { v (mV) i (mA/cm2) turns root inf }

STATE { x y z w p q e1 e2 }

INITIAL {
    LOCAL step
    SOLVE rest
    z = 0.5
    w = 0.2
    e1 = 0.1
    e2 = 0.4
    turns = 0
    root = 10
    step = 1
    WHILE (fabs(step) > 1e-12 && turns < 60) {
        step = (root * root - (v + 100)) / (2 * root)
        root = root - step
        turns = turns + 1
    }
    p = 0
    q = 0
}

BREAKPOINT {
    SOLVE pair METHOD derivimplicit
    SOLVE bent METHOD derivimplicit
    SOLVE plain METHOD euler
    i = g * (x + y + z * w + e1 - e2) * (v + 60) + 1e-7 * root
}

LINEAR rest {
    ~ x - 0.5 * y + p = v / 50
    ~ 2 * x + y = 3
    ~ p = q
    ~ q = x / 4
}

DERIVATIVE pair {
    inf = 1 / (1 + exp(-(v + 40) / 9))
    x' = (inf - x) / tau + k * y
    y' = k * x - 2 * y / tau
}

DERIVATIVE bent {
    z' = inf - z * z * z - k * z * w
    w' = z / (1 + w * w) - w
}

DERIVATIVE plain {
    e1' = -e1 * e2 + inf
    e2' = e1 - e2
}
