/// Ports of fragmented datagrams, so that later fragments count into the right flow (RFC 791 section 3.2, RFC 8200 section 4.5).
struct FragmentTable {
  private struct Key: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var id: UInt32
    var transport: Transport
  }
  private var ports: [Key: (UInt16, UInt16)] = [:]
  private var order: [Key] = []
  private var next = 0

  /// Remembers a first fragment's ports or fills them into a later one; unknown ones keep port 0.
  mutating func resolve(_ p: inout PacketHeaders) {
    guard p.transport.hasPorts else { return }
    let key = Key(source: p.source, destination: p.destination, id: p.fragmentID, transport: p.transport)
    if p.isFirstFragment {
      if ports.updateValue((p.sourcePort, p.destinationPort), forKey: key) != nil {
        p.anomalies.insert(.overlappingFragment)
        return
      }
      if order.count < Limits.openFragments {
        order.append(key)
      } else {
        ports[order[next]] = nil
        order[next] = key
        next = (next + 1) % Limits.openFragments
      }
    } else if p.isLaterFragment, let known = ports[key] {
      p.sourcePort = known.0
      p.destinationPort = known.1
    }
  }
}
