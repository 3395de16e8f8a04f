import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct ExaminationTests {
  /// A made-up machine: interfaces, limits and capabilities as files.
  private static func machine(
    interfaces: [String: String] = ["lo": "unknown", "eth0": "up", "eth1": "down"], capabilities: String = "0",
    receiveBuffer: String = "212992"
  ) throws -> String {
    let root = FileManager.default.temporaryDirectory.appending(path: "mothlight-doctor-\(UUID().uuidString)")
    func write(_ text: String, _ path: String) throws {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    for (name, state) in interfaces { try write("\(state)\n", "sys/class/net/\(name)/operstate") }
    try write("Name:\tx\nCapEff:\t\(capabilities)\n", "proc/self/status")
    try write("\(receiveBuffer)\n", "proc/sys/net/core/rmem_max")
    return root.path
  }

  private static func configuration(_ sources: [StationConfiguration.Source], data: String = "/tmp")
    -> StationConfiguration
  {
    var configuration = StationConfiguration(data: data)
    configuration.sources = sources
    configuration.home = [Prefix(IPAddress(v4: 0xc000_0200), length: 24)]
    return configuration
  }

  private static func symptom(_ name: String, _ examination: Examination) throws -> Symptom {
    try #require(examination.symptoms().first { $0.subject == name })
  }

  @Test func aMissingInterfaceIsNamedWithThoseThatAreThere() throws {
    let root = try Self.machine()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let source = StationConfiguration.Source(name: "wire", place: .interface("eth7", filter: nil, promiscuous: false))
    let examination = Examination(Self.configuration([source]), root: root, isRoot: false)
    let symptom = try Self.symptom("source wire", examination)
    #expect(symptom.state == .broken)
    #expect(symptom.remedy == "there is: eth0, eth1, lo")
  }

  @Test func rightsToCaptureAreReadFromTheProcess() throws {
    let source = StationConfiguration.Source(name: "wire", place: .interface("eth0", filter: nil, promiscuous: false))
    for (capabilities, state) in [
      ("0", Symptom.State.broken), ("0000000000002000", .fine), ("00000000000004c0", .broken),
    ] {
      let root = try Self.machine(capabilities: capabilities)
      defer { try? FileManager.default.removeItem(atPath: root) }
      let examination = Examination(Self.configuration([source]), root: root, isRoot: false)
      #expect(try Self.symptom("source wire, rights", examination).state == state)
      #expect(try Self.symptom("source wire", examination).state == .fine)
    }
  }

  @Test func aSourceThatIsDownIsLacking() throws {
    let root = try Self.machine()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let source = StationConfiguration.Source(name: "b", place: .interface("eth1", filter: nil, promiscuous: false))
    let symptom = try Self.symptom("source b", Examination(Self.configuration([source]), root: root, isRoot: true))
    #expect(symptom.state == .lacking)
    #expect(symptom.remedy == "ip link set eth1 up")
  }

  @Test func smallReceiveBuffersAreSaid() throws {
    let address = try #require(ListenAddress("127.0.0.1:2055"))
    let source = StationConfiguration.Source(name: "flows", place: .flows(address))
    for (octets, state) in [("212992", Symptom.State.lacking), ("8388608", .fine)] {
      let root = try Self.machine(receiveBuffer: octets)
      defer { try? FileManager.default.removeItem(atPath: root) }
      let examination = Examination(Self.configuration([source]), root: root, isRoot: false)
      #expect(try Self.symptom("source flows", examination).state == state)
    }
  }

  @Test func foldersAndCertificatesAreLookedFor() throws {
    let root = try Self.machine()
    defer { try? FileManager.default.removeItem(atPath: root) }
    var configuration = Self.configuration(
      [.init(name: "zeek", place: .logs("\(root)/no-such")), .init(name: "drop", place: .captures(root))],
      data: "\(root)/new")
    configuration.home = []
    configuration.serving?.encryption = .files(certificate: "\(root)/c.pem", key: "\(root)/k.pem")
    let symptoms = Examination(configuration, root: root, isRoot: false).symptoms()
    func state(_ name: String) -> [Symptom.State] { symptoms.filter { $0.subject == name }.map(\.state) }
    #expect(state("source zeek") == [.lacking])
    #expect(state("source drop") == [.fine])
    #expect(state("data folder") == [.fine])
    #expect(state("home network") == [.lacking])
    #expect(state("tls") == [.broken, .broken])
    #expect(symptoms.filter { $0.state != .fine }.allSatisfy { !$0.remedy.isEmpty })
  }

  @Test func aPairThatIsNoneIsBroken() throws {
    let folder = try ScratchFolder()
    var configuration = Self.configuration([.init(name: "demo", place: .demo)], data: folder.path)
    configuration.serving?.encryption = .files(
      certificate: try folder.write("c.pem", "none"), key: try folder.write("k.pem", "none"))
    #expect(try Self.symptom("tls", Examination(configuration)).state == .broken)
  }

  @Test func theUserHasToBeThere() throws {
    var configuration = Self.configuration([.init(name: "demo", place: .demo)])
    for (user, state) in [("no-such-user", Symptom.State.broken), ("root", .broken), ("nobody", .fine)] {
      configuration.user = user
      #expect(try Self.symptom("user", Examination(configuration, isRoot: true)).state == state, "\(user)")
    }
  }

  /// A port of loopback that this process has.
  private final class Held {
    private let socket: Socket
    var address: ListenAddress { socket.address }

    init(isStream: Bool) throws {
      let loopback = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: 0)
      socket = try Socket(loopback, SocketOptions(isStream: isStream))
    }
  }

  @Test func aPortOfAnotherProgramIsToldWithItsNumber() throws {
    let folder = try ScratchFolder()
    let (pages, flows) = (try Held(isStream: true), try Held(isStream: false))
    var configuration = Self.configuration([.init(name: "flows", place: .flows(flows.address))], data: folder.path)
    configuration.serving?.listen = pages.address
    let number = ProcessInfo.processInfo.processIdentifier
    for name in ["pages", "source flows, port"] {
      let symptom = try Self.symptom(name, Examination(configuration))
      #expect(symptom.state == .broken && symptom.finding.hasSuffix("(process \(number))"), "\(symptom)")
      #expect(!symptom.remedy.isEmpty)
    }
    // The station itself at work: its process has the store open.
    let store = try FileHandle(forReadingFrom: URL(fileURLWithPath: try folder.write("store.sqlite", "")))
    let running = Examination(configuration).symptoms()
    #expect(running.filter { $0.subject == "pages" }.map(\.state) == [.fine])
    #expect(!running.contains { $0.subject == "source flows, port" })
    try store.close()
    withExtendedLifetime((pages, flows)) {}
  }

  @Test func anAddressOfAnotherMachineIsBroken() throws {
    var configuration = Self.configuration([.init(name: "demo", place: .demo)])
    configuration.serving?.listen = try #require(ListenAddress("192.0.2.77:8443"))
    let symptom = try Self.symptom("pages", Examination(configuration))
    #expect(symptom.state == .broken && symptom.finding.contains("192.0.2.77:8443 cannot be had"), "\(symptom)")
  }

  @Test func aKeyThatOthersReadIsBroken() throws {
    let root = try Self.machine()
    defer { try? FileManager.default.removeItem(atPath: root) }
    var configuration = Self.configuration([.init(name: "demo", place: .demo)], data: root)
    let examination = { Examination(configuration, root: root, isRoot: false) }
    #expect(try Self.symptom("pseudonyms", examination()).finding.hasSuffix("pseudonyms.key: will be made"))
    let key = "\(root)/pseudonyms.key"
    #expect(
      FileManager.default.createFile(atPath: key, contents: Data("x".utf8), attributes: [.posixPermissions: 0o644]))
    #expect(try Self.symptom("pseudonyms", examination()).state == .broken)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    #expect(try Self.symptom("pseudonyms", examination()).state == .fine)
    configuration.privacy.readers = .nobody
    #expect(!examination().symptoms().contains { $0.subject == "pseudonyms" })
  }

  @Test func withoutAConfigurationTheMachineAloneIsLookedAt() {
    let symptoms = Examination(nil).symptoms()
    #expect(symptoms.map(\.subject) == ["clock", "open files", "network data", "nfdump"])
    #expect(symptoms[0].state == .fine)
  }
}
