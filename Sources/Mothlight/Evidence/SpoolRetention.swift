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
    return deleted + pruneQuarantine("\(folder)/quarantine", sampleDays: sampleDays, now: now)
  }

  /// Torn ends of sample segments hold raw octets, too. They have no time of their own but that of their file.
  private static func pruneQuarantine(_ aside: String, sampleDays: Int, now: Timestamp) -> [String] {
    var deleted: [String] = []
    for name in SpoolDisk.names(in: aside) {
      let segment = name.split(separator: ".").prefix(2).joined(separator: ".")
      var status = stat()
      guard SpoolFolder.parse(segment, .samples) != nil, lstat("\(aside)/\(name)", &status) == 0,
        now.seconds(since: Timestamp(seconds: Int64(status.st_mtim.tv_sec))) > Double(sampleDays) * 86_400
      else { continue }
      if unlink("\(aside)/\(name)") == 0 { deleted.append(name) }
    }
    return deleted
  }
}
