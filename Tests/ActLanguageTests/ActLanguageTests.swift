import Testing
@Suite struct ActLanguageTests {}
