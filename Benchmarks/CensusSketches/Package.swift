// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "mothlight-census-sketches",
  dependencies: [.package(name: "mothlight", path: "../..")],
  targets: [
    .executableTarget(
      name: "CensusSketches", dependencies: [.product(name: "Mothlight", package: "mothlight")],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
  ]
)
