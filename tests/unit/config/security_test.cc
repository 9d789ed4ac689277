#include "common/config/security.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/config/show.h"
#include "tests/unit/config/texts.h"
#include "tests/unit/net/certificates.h"

namespace holdfast::config {
namespace {

std::string office(const std::string& settings) {
  return "hostname: mx.example.test\ndestinations:\n  office: {servers: [\"10.0.0.5:25\"], " + settings +
         "}\ndomains:\n  example.test: {destination: office}\n";
}

TEST(Security, IsReadAndShown) {
  const std::string pin(64, 'a');
  const Config c = good(kMinimal +
                        "tls: {certificate: /c.pem, key: /k.pem, names: {MX2.example.test: {certificate: /c2.pem, key: /k2.pem}}}\n"
                        "smtpd: {tls_required: true}\n"
                        "bounces: {relay: \"r.example:587\", tls: {policy: pin, pins: [" + pin + "]}, auth: {user: u, password_file: /p}}\n");
  EXPECT_EQ(c.tls.own, (KeyFiles{"/c.pem", "/k.pem"}));
  EXPECT_EQ(c.tls.names.at("mx2.example.test"), (KeyFiles{"/c2.pem", "/k2.pem"}));
  EXPECT_TRUE(c.smtpd.tls_required);
  EXPECT_EQ(c.bounce_road.tls.policy, "pin");
  EXPECT_EQ(c.bounce_road.tls.pins, std::vector{pin});
  EXPECT_EQ(c.bounce_road.auth, (Auth{"u", "/p", false}));
  EXPECT_EQ(c.destinations.at("office").tls.policy, "may");
  for (const auto style : {Style::kAll, Style::kChanged, Style::kSelfContained}) {
    const Config again = good(show(c, style));
    EXPECT_EQ(again.tls, c.tls);
    EXPECT_EQ(again.bounce_road.tls, c.bounce_road.tls);
    EXPECT_EQ(again.bounce_road.auth, c.bounce_road.auth);
    EXPECT_TRUE(difference(c, again).empty());
  }
}

TEST(Security, MustFitTogether) {
  EXPECT_EQ(faults_of(kMinimal + "tls: {certificate: /c.pem}\n"), "g.yaml:6: tls.certificate: needs tls.key too");
  EXPECT_EQ(faults_of(kMinimal + "tls: {key: /c.pem}\n"), "g.yaml:6: tls.key: needs tls.certificate too");
  EXPECT_EQ(faults_of(kMinimal + "tls: {names: {a.b: {certificate: /c, key: /k}}}\n"),
            "g.yaml:6: tls.names: needs tls.certificate, for all other clients");
  EXPECT_EQ(faults_of(kMinimal + "tls: {names: {a.b: {certificate: /c}}}\n"),
            "g.yaml:6: tls.names: a.b needs a certificate and a key\ng.yaml:6: tls.names: needs tls.certificate, for all other clients");
  EXPECT_EQ(faults_of(kMinimal + "smtpd: {tls_required: true}\n"), "g.yaml:6: smtpd.tls_required: needs tls.certificate");
  EXPECT_EQ(faults_of(office("tls: {policy: pin}")), "g.yaml:3: destinations.office.tls.policy: 'pin' needs destinations.office.tls.pins");
  EXPECT_EQ(faults_of(office("tls: {pins: [" + std::string(64, '0') + "]}")),
            "g.yaml:3: destinations.office.tls.pins: needs destinations.office.tls.policy: pin");
  EXPECT_EQ(faults_of(office("tls: {policy: pin, pins: [abc]}")).substr(0, 45), "g.yaml:3: destinations.office.tls.pins: 'abc'");
  EXPECT_EQ(faults_of(office("tls: {ca_file: /ca}")), "g.yaml:3: destinations.office.tls.ca_file: needs destinations.office.tls.policy: verify");
  EXPECT_EQ(faults_of(office("tls: {policy: sometimes}")),
            "g.yaml:3: destinations.office.tls.policy: must be off, may, encrypt, verify or pin, not 'sometimes'");
  EXPECT_EQ(faults_of(office("auth: {user: u}")), "g.yaml:3: destinations.office.auth.user: needs destinations.office.auth.password_file too");
  EXPECT_NE(faults_of(office("tls: {policy: off}, auth: {user: u, password_file: /p}")).find("would go in the clear"), std::string::npos);
  EXPECT_EQ(faults_of(office("tls: {policy: off}, auth: {user: u, password_file: /p, plaintext: allow}")), "");
}

struct SecurityFiles : testing::Test {
  net::Certificates certificates;
  net::KeyPair pair = certificates.make("mx.example.test");

  std::string faults(const std::string& text) {
    const auto file = certificates.write("gateway.yaml", kMinimal + text);
    EXPECT_TRUE(load(file)) << "the files are not for everybody to read";
    const auto config = load(file, Files::kCheck);
    return config ? "" : config.error().text.substr(file.size() + 1);
  }
};

TEST_F(SecurityFiles, AreTried) {
  const auto other = certificates.make("mx.example.test");
  EXPECT_EQ(faults("tls: {certificate: " + pair.certificate + ", key: " + pair.key + "}\n"), "");
  EXPECT_EQ(faults("tls:\n  certificate: " + pair.certificate + "\n  key: " + other.key + "\n"),
            "8: tls.key: " + other.key + ": not the key of the certificate in " + pair.certificate);
  EXPECT_TRUE(faults("tls:\n  certificate: /nonexistent/c\n  key: " + pair.key + "\n").starts_with("8: tls.key: "));
  EXPECT_TRUE(faults("tls:\n  certificate: " + pair.certificate + "\n  key: " + pair.key +
                     "\n  names:\n    a.b: {certificate: " + pair.certificate + ", key: " + other.key + "}\n")
                  .starts_with("10: tls.names: a.b: " + other.key));
  EXPECT_EQ(faults("bounces: {tls: {policy: verify, ca_file: " + certificates.ca_file() + "}}\n"), "");
  EXPECT_TRUE(faults("bounces: {tls: {policy: verify, ca_file: " + pair.key + "}}\n").starts_with("6: bounces.tls.ca_file: "));
}

TEST_F(SecurityFiles, OfPasswords) {
  const auto password = [&](const std::string& text) { return read_password({"u", certificates.write("password", text), false}); };
  EXPECT_EQ(*password(" secret\r\nmore\n"), "secret");
  EXPECT_EQ(*password("two words"), "two words");
  EXPECT_FALSE(password("\nsecret\n"));
  EXPECT_FALSE(password(std::string("a\0b\n", 4)));
  const auto missing = read_password({"u", "/nonexistent/password", false});
  ASSERT_FALSE(missing);
  const std::string file = certificates.write("password", "\nsecret\n");
  const std::string text = faults("bounces: {auth: {user: u, password_file: " + file + "}}\n");
  EXPECT_EQ(text, "6: bounces.auth.password_file: " + file + ": no password in its first line");
}

}  // namespace
}  // namespace holdfast::config
