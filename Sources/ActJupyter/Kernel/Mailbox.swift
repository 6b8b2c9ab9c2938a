// Where one thread leaves what another one is to do.

import ActSystem
import ActArray
import CActSystem

/// `@unchecked`: what it holds is touched within the monitor.
final class Mailbox<Item>: @unchecked Sendable {
    private let monitor = Monitor()
    private var items: [Item] = []

    func put(_ item: Item) {
        monitor.locked {
            items.append(item)
            monitor.signal()
        }
    }

    /// Waits for the next.
    /// - Parameters:
    ///   - moment: Seconds of waiting after which `whenIdle` is called, once.
    func take(after moment: Double, whenIdle: () -> Void) -> Item {
        monitor.locked {
            let start = act_seconds()
            var isIdle = false
            while items.isEmpty {
                if isIdle {
                    monitor.wait()
                } else {
                    monitor.wait(moment)
                    isIdle = act_seconds() - start >= moment
                    if isIdle { monitor.unlocked(whenIdle) }
                }
            }
            return items.removeFirst()
        }
    }
}
