// ActGrad
