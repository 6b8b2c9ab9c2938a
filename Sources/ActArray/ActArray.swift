// ActArray
