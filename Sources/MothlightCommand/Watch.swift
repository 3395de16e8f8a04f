import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight watch`: sources until stopped, judged, kept and shown.
struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Watch interfaces, flow exporters, log folders and spools until stopped, and serve the pages.",
    discussion: """
      Sources are told apart: a network interface (eth0), an address for exporters of NetFlow, IPFIX and sFlow \
      (192.0.2.1:2055), a folder that Zeek or Suricata writes into, a folder of finished captures, a spool of the sinkhole, \
      or the word demo for simulated traffic. A configuration file says all of this and more (Examples/station.yaml).

      SIGHUP reads the configuration again; SIGTERM and SIGINT end the station in good order. Exit status: 0 stopped, 2 when \
      something has to be mended first (mothlight doctor).
      """)

  @Argument(help: "Sources, when no --config is given.")
  var sources: [String] = []

  @Option(help: "Configuration file (YAML); see Examples/station.yaml.")
  var config: String?

  @Option(help: ArgumentHelp("Folder of everything that is kept. Default: ./station-data.", valueName: "dir"))
  var data: String?

  @Option(help: "Home network, e.g. 192.0.2.0/24; may be repeated. Default: learned, and kept.")
  var home: [String] = []

  @Option(help: "Address and port of the pages. Default: 127.0.0.1:8420.")
  var listen: String?

  @Flag(help: "Serve no pages.")
  var noServe = false

  @Option(
    help: "Who sees pseudonyms in the place of addresses of ours: nobody, viewers or everybody. Default: viewers.")
  var pseudonyms: String?

  @Option(help: "Seconds between judgements. Default: 30.")
  var judgeEvery: Int?

  func validate() throws {
    guard config != nil || !sources.isEmpty else {
      throw ValidationError(
        "name a source, such as an interface or a folder; or give --config FILE; or try: watch demo")
    }
    guard config == nil || sources.isEmpty else { throw ValidationError("give sources or --config, not both") }
    if let pseudonyms, StationPrivacy.Readers(rawValue: pseudonyms) == nil {
      throw ValidationError("--pseudonyms takes nobody, viewers or everybody, not '\(pseudonyms)'")
    }
    if let judgeEvery, !(1...3600).contains(judgeEvery) { throw ValidationError("--judge-every takes 1 to 3600") }
  }

  func run() async throws {
    let words = WatchWords(
      sources: sources, config: config, data: data, home: home, listen: listen, isServing: !noServe,
      judgeEvery: judgeEvery, pseudonyms: pseudonyms)
    try await StationRun(try words.configuration(), reread: { try words.configuration() }).run()
  }
}

/// What was said on the command line, to be applied again at every reload.
struct WatchWords: Sendable {
  var sources: [String]
  var config: String?
  var data: String?
  var home: [String]
  var listen: String?
  var isServing: Bool
  var judgeEvery: Int?
  var pseudonyms: String?

  func configuration() throws -> StationConfiguration {
    var configuration: StationConfiguration
    if let config = config {
      do { configuration = try StationConfiguration.read(config) } catch { throw Failure("\(error)") }
    } else {
      configuration = StationConfiguration(data: data ?? "station-data")
      configuration.sources = try sources.map(SourceWord.source)
      let names = configuration.sources.map(\.name)
      if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
        throw Failure("two sources are called '\(twice)': write a configuration file and name them")
      }
    }
    if config != nil, let data = data { configuration.data = data }
    if !home.isEmpty {
      configuration.home = try home.map { text in
        guard let prefix = Prefix(text) else {
          throw Failure("--home: '\(text)' is not a prefix such as 192.0.2.0/24")
        }
        return prefix
      }
    }
    if let readers = pseudonyms.flatMap({ StationPrivacy.Readers(rawValue: $0) }) {
      configuration.privacy.readers = readers
    }
    if let seconds = judgeEvery { configuration.judgeSeconds = seconds }
    if let text = listen {
      guard let address = ListenAddress(text) else {
        throw Failure("--listen: '\(text)' is no address with a port, such as 127.0.0.1:8420")
      }
      configuration.serving = configuration.serving ?? StationConfiguration.Serving()
      configuration.serving?.listen = address
      // Beyond this machine never in the clear.
      if !address.address.isLoopback, configuration.serving?.encryption == StationConfiguration.Serving.Encryption.none
      {
        configuration.serving?.encryption = .own
      }
    }
    if !isServing { configuration.serving = nil }
    return configuration
  }
}

/// What a source on the command line is.
enum SourceWord {
  static func source(_ word: String) throws -> StationConfiguration.Source {
    if word == "demo" { return .init(name: "demo", place: .demo) }
    if let address = ListenAddress(word) { return .init(name: "flows-\(address.port)", place: .flows(address)) }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: word, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw Failure("\(word): is a file; 'mothlight read \(word)' reads it, 'watch' takes folders")
      }
      let name = (word as NSString).standardizingPath.split(separator: "/").last.map(String.init) ?? word
      return .init(name: name, place: try folder(word))
    }
    let interfaces = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/net"))?.sorted() ?? []
    guard interfaces.contains(word) || word == "any" else {
      throw Failure(
        "'\(word)' is no interface, no folder and no address with a port; interfaces here: \(interfaces.joined(separator: ", "))"
      )
    }
    return .init(name: word, place: .interface(word, filter: nil, promiscuous: true))
  }

  /// A spool by its segments, captures by what lies there, else logs.
  private static func folder(_ path: String) throws -> StationConfiguration.Source.Place {
    if SpoolReader.recognises(path) { return .spool(path) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let endings = [".pcap", ".pcapng", ".cap", ".binetflow", ".pcap.gz", ".pcap.zst"]
    let hasCaptures = names.contains { name in endings.contains { name.hasSuffix($0) } || name.hasPrefix("nfcapd.") }
    return hasCaptures ? .captures(path) : .logs(path)
  }
}
