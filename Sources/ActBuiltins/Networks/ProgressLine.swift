// What `fit` says while it trains: on a terminal a line that moves, elsewhere a line an epoch, which is the same on every run.

import ActMachine
import ActNetwork
import ActText
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class ProgressLine {
    private let output: ProgressOutput
    private let isTerminal: Bool
    private let start = act_seconds()
    private var epochStart = act_seconds()
    private var lastShown = 0.0
    private var isMidLine = false

    private static let barWidth = 24
    /// So many epochs leave a line; of more, every second, fifth … one does.
    private static let mostLines = 50
    /// Seconds between two pictures of the line.
    private static let pause = 0.1

    /// `nil` where nobody sees it.
    init?(_ machine: Machine) {
        guard let output = machine.host.progress else { return nil }
        self.output = output
        isTerminal = output.isProgressMovable
    }

    func show(_ progress: Training.Progress) {
        let now = act_seconds()
        if progress.isEpochDone {
            if leavesLine(progress) {
                let time = isTerminal ? "  \(seconds(now - epochStart))" : ""
                write((isTerminal ? "\r\u{1b}[K" : "") + "\(epoch(progress))  \(numbers(progress))\(time)\n")
                isMidLine = false
            }
            epochStart = now
            lastShown = 0
            if progress.epoch == progress.epochs { end() }
        } else if isTerminal, now - lastShown >= ProgressLine.pause {
            lastShown = now
            let part = (Double(progress.epoch - 1) + Double(progress.batch) / Double(progress.batches)) / Double(progress.epochs)
            // The first batches take longer than the others: nothing is foretold from them.
            let left = now - start > 0.5 && part > 0 ? "  \(seconds((now - start) * (1 - part) / part)) left" : ""
            write("\r\u{1b}[K\(epoch(progress)) \(bar(progress))  \(numbers(progress))\(left)")
            isMidLine = true
        }
    }

    /// Leaves the moving line.
    func end() {
        if isMidLine { write("\r\u{1b}[K") }
        isMidLine = false
    }

    func note(_ text: String) {
        end()
        write(text + "\n")
    }

    // MARK: Parts

    private func leavesLine(_ progress: Training.Progress) -> Bool {
        guard progress.epochs > ProgressLine.mostLines, progress.epoch != progress.epochs, progress.epoch != 1 else { return true }
        // 2, 5, 10, 20, 50 …
        var step = 1, factors = [2, 5, 10]
        while progress.epochs / step > ProgressLine.mostLines, step < 1 << 40 {
            step = factors.removeFirst()
            factors.append(step * 10)
        }
        return progress.epoch % step == 0
    }

    private func epoch(_ progress: Training.Progress) -> String {
        let total = String(progress.epochs), number = String(progress.epoch)
        return "epoch " + String(repeating: " ", count: total.count - number.count) + "\(number)/\(total)"
    }

    private func bar(_ progress: Training.Progress) -> String {
        let filled = progress.batch * ProgressLine.barWidth / max(1, progress.batches)
        return String(repeating: "━", count: filled) + String(repeating: "·", count: ProgressLine.barWidth - filled)
    }

    private func numbers(_ progress: Training.Progress) -> String {
        var parts = ["loss \(short(progress.loss))"]
        if let metric = progress.metric { parts.append("\(metric.name) \(short(metric.value))") }
        if let validation = progress.validation {
            parts.append("validation loss \(short(validation.loss))")
            if let value = validation.metric, let metric = progress.metric { parts.append("\(metric.name) \(short(value))") }
        }
        return parts.joined(separator: "  ")
    }

    /// Four digits after the point; of small numbers four digits.
    private func short(_ x: Double) -> String {
        guard x.isFinite else { return Format.number(x) }
        return x == 0 || abs(x) >= 1e-3 && abs(x) < 1e6 ? printed(x, "f", precision: 4) : printed(x, "e", precision: 3)
    }

    private func seconds(_ time: Double) -> String {
        if time < 60 { return printed(time, "f", precision: 1) + " s" }
        let whole = Int(min(time, 1e9))
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    private func write(_ text: String) { output.writeProgress(text) }
}
