// ActPlot
