// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "mothlight-beacon-grid",
  dependencies: [.package(name: "mothlight", path: "../..")],
  targets: [
    .executableTarget(
      name: "BeaconGrid", dependencies: [.product(name: "Mothlight", package: "mothlight")],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
  ]
)
