/// A binary heap of moments; equal times come out in the order they went in, so that runs are reproducible.
struct EventQueue<Event> {
  private struct Entry {
    var time: Int64
    var order: UInt64
    var event: Event
  }
  private var entries: [Entry] = []
  private var pushed: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  mutating func push(_ event: Event, at time: Int64) {
    entries.append(Entry(time: time, order: pushed, event: event))
    pushed += 1
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.precedes(entries[child], entries[parent]) else { break }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> (time: Int64, event: Event)? {
    guard let first = entries.first else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
          if Self.precedes(entries[child], entries[least]) { least = child }
        }
        guard least != parent else { break }
        entries.swapAt(parent, least)
        parent = least
      }
    }
    return (first.time, first.event)
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
    a.time != b.time ? a.time < b.time : a.order < b.order
  }
}
