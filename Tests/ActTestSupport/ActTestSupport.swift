// ActTestSupport
