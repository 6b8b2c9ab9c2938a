// ActNetwork
