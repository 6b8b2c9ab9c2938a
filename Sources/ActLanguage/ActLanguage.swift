// ActLanguage
