import Mothlight

extension ServedZones {
  /// The botnet whose seized zone a host name belongs to, from a request or a TLS hello; `nil` for any other name and
  /// for a zone outside its order's time.
  /// - Complexity: as one query's.
  public func family(ofHost host: String, at second: Int64) -> String? {
    guard let name = try? DomainName(host), name.octets.count > 1 else { return nil }
    var octets = name.octets
    var starts: [UInt8] = []
    var at = 0
    while at < octets.count, octets[at] != 0 {
      starts.append(UInt8(truncatingIfNeeded: at))
      at += Int(octets[at]) + 1
    }
    let (labels, length) = (starts.count, octets.count)
    return octets.withUnsafeMutableBufferPointer { octets in
      starts.withUnsafeMutableBufferPointer { starts -> String? in
        guard let octets = octets.baseAddress, let starts = starts.baseAddress,
          let match = match(QueryName(octets: octets, starts: starts), labels: labels, length: length, second: second)
        else { return nil }
        return orders[match.order].family
      }
    }
  }
}
