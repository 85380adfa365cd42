TITLE Two coupled linear equations that start at the solution of others, for tests of derivimplicit and LINEAR

NEURON {
    SUFFIX pair
    NONSPECIFIC_CURRENT i
    RANGE inf
}

PARAMETER { g = 1e-4 tau = 4 k = 0.3 }

ASSIGNED { v (mV) i (mA/cm2) inf }

STATE { x b p q }

INITIAL {
    SOLVE rest
}

BREAKPOINT {
    SOLVE both METHOD derivimplicit
    i = g * (x + b + p) * (v + 60)
}

LINEAR rest {
    ~ x - 0.5 * b + p = v / 50
    ~ 2 * x + b = 3
    ~ p = q
    ~ q = x / 4
}

DERIVATIVE both {
    inf = 1 / (1 + exp(-(v + 40) / 9))
    x' = (inf - x) / tau + k * b
    b' = k * x - 2 * b / tau
}
