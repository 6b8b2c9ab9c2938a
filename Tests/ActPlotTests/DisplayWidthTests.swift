import ActText
import Testing

@Suite struct DisplayWidthTests {
    // Widths by UAX #11 (East Asian Width) and the emoji presentation of UTS #51.
    @Test(
        arguments: [
            ("", 0), ("abc", 3), ("기울기", 6), ("σ(x)", 4), ("한a", 3), ("e\u{301}", 1), ("\u{1112}\u{1161}\u{11ab}", 2), ("日本", 4),
            ("ア", 2), ("ｱ", 1), ("Ａ", 2), ("🙂", 2), ("👨‍👩‍👧", 2), ("🇰🇷", 2), ("❤️", 2), ("❤", 1), ("\u{200b}", 0), ("a\u{7}b\n", 2), ("⠿█┈", 3),
            ("ㅎ", 2), ("½", 1), ("\u{20000}", 2), ("\u{ad}", 1), ("नि", 2),
        ])
    func widths(_ text: String, _ width: Int) {
        #expect(displayWidth(text) == width)
    }
}
