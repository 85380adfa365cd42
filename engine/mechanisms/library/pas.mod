TITLE Passive membrane

COMMENT
A leak of constant conductance. Names and default values are those of NEURON's mechanism pas
(Hines & Carnevale, Neural Comput. 9:1179, 1997).
ENDCOMMENT

NEURON {
    SUFFIX pas
    NONSPECIFIC_CURRENT i
    RANGE g, e
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.001 (S/cm2) <0, 1e9>   : leak conductance
    e = -70 (mV)                 : leak reversal
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

BREAKPOINT {
    i = g * (v - e)
}
