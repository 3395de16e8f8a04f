import Foundation
import Mothlight
import MothlightStation

/// Makes instruments from what a configuration says of them.
struct SourceMaker: Sendable {
  /// Folder of how far logs, captures and spools were read.
  let positions: String
  let census: CensusDesk?

  func source(_ given: StationConfiguration.Source) throws -> any LiveSource {
    switch given.place {
    case .interface(let name, let filter, let isPromiscuous):
      var settings = InterfaceSettings(interface: name, name: given.name)
      do throws(CaptureFilterError) {
        settings.filter = try filter.map { text throws(CaptureFilterError) in try CaptureFilter(text) }
      } catch {
        throw Failure("source \(given.name): \(error)")
      }
      settings.isPromiscuous = isPromiscuous
      return InterfaceSource(settings)
    case .flows(let address, let reception):
      var settings = CollectorSettings(name: given.name, listen: address)
      settings.receiveBufferOctets = reception.receiveBufferOctets
      settings.exportersShown = reception.exportersShown
      settings.flows.exporters = reception.exporters
      settings.flows.sampling = reception.sampling
      settings.flows.trustsExporterClock = reception.trustsExporterClock
      return CollectorSource(settings)
    case .logs(let path):
      var settings = FolderSettings.logs(name: given.name, path: path, positionsPath: try journal(given.name))
      settings.keeping = .whenTold
      return LogFolderSource(settings)
    case .captures(let path):
      var settings = FolderSettings.captures(name: given.name, path: path, positionsPath: try journal(given.name))
      settings.keeping = .whenTold
      return CaptureFolderSource(settings)
    case .spool(let path):
      guard let census else { throw Failure("source \(given.name): there is no census to count it for") }
      // The rollups are made anew at each start, so it is read from its beginning.
      return SpoolSource(SpoolSettings(name: given.name, path: path), consumer: census)
    case .demo: return DemoSource(name: given.name, clock: { StationLog.now() })
    }
  }

  /// What a source has given is judged and on disk: it need not be given again.
  static func commit(_ sources: [any LiveSource]) {
    for source in sources {
      switch source {
      case let logs as LogFolderSource: logs.commit()
      case let captures as CaptureFolderSource: captures.commit()
      default: break
      }
    }
  }

  private func journal(_ name: String) throws -> String {
    if mkdir(positions, 0o750) != 0, errno != EEXIST {
      throw Failure("\(positions): cannot be made (\(String(cString: strerror(errno))))")
    }
    // Names are for people; a file's may hold less.
    let safe = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    return
      "\(positions)/\(String(safe))-\(ContentDigest.sha256(Array(name.utf8)).prefix(4).map { String($0, radix: 16) }.joined())"
  }
}
