import Glibc

/// Deletes sealed sample segments whose time has come: raw octets of what was sent are personal data and expire; sightings stay.
public enum SpoolRetention {
  /// - Parameters:
  ///   - sampleDays: days after a segment was begun, and an hour for the rest of it; 0 keeps all.
  /// - Returns: names deleted.
  @discardableResult
  public static func prune(_ folder: String, sampleDays: Int, now: Timestamp) -> [String] {
    guard sampleDays > 0 else { return [] }
    var deleted: [String] = []
    for name in SpoolDisk.names(in: folder) {
      guard let (_, suffix) = SpoolFolder.parse(name, .samples), suffix == "sealed",
        let head = try? SpoolDisk.contents(of: "\(folder)/\(name)", most: 0), let header = SpoolFormat.Header(head),
        now.seconds(since: header.start) > Double(sampleDays) * 86_400 + 3600
      else { continue }
      if unlink("\(folder)/\(name)") == 0 { deleted.append(name) }
    }
    return deleted
  }
}
