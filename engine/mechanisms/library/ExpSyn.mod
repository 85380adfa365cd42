TITLE Synapse whose conductance jumps and decays

COMMENT
Names and default values are those of NEURON's point process ExpSyn (Hines & Carnevale, Neural Comput. 12:995, 2000).
An event raises the conductance by its weight; events add up.
ENDCOMMENT

NEURON {
    POINT_PROCESS ExpSyn
    RANGE tau, e, i
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (nA) = (nanoamp)
    (uS) = (microsiemens)
}

PARAMETER {
    tau = 0.1 (ms) <1e-9, 1e9>   : of the decay
    e = 0 (mV)                   : reversal
}

STATE {
    g (uS)   : conductance
}

ASSIGNED {
    v (mV)
    i (nA)
}

INITIAL {
    g = 0
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = g * (v - e)
}

DERIVATIVE decay {
    g' = -g / tau
}

NET_RECEIVE(weight (uS)) {
    g = g + weight
}
