#include "common/config/values.h"

#include <gtest/gtest.h>

namespace holdfast::config {
namespace {

using std::chrono::seconds;

TEST(Durations, TakeUnitsAndSums) {
  EXPECT_EQ(parse_duration("90s").value(), seconds{90});
  EXPECT_EQ(parse_duration("15m").value(), seconds{900});
  EXPECT_EQ(parse_duration("4h").value(), seconds{14400});
  EXPECT_EQ(parse_duration("4d").value(), seconds{345600});
  EXPECT_EQ(parse_duration("1h30m").value(), seconds{5400});
  EXPECT_EQ(parse_duration("0").value(), seconds{0});
}

TEST(Durations, RefuseEverythingElse) {
  for (const char* text : {"", "15", "m", "15 m", "-5s", "1.5h", "15min", "4w", "99999999999999999999s", "5sm", "36600d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(parse_duration("15").error().text, "'15' lacks a unit: s, m, h or d");
}

TEST(Durations, AreWrittenWithTheLargestExactUnit) {
  EXPECT_EQ(duration_text(seconds{345600}), "4d");
  EXPECT_EQ(duration_text(seconds{120}), "2m");
  EXPECT_EQ(duration_text(seconds{90}), "90s");
  EXPECT_EQ(duration_text(seconds{0}), "0s");
}

TEST(Sizes, TakeBinaryUnitsOnly) {
  EXPECT_EQ(parse_size("10MiB").value(), 10ULL << 20);
  EXPECT_EQ(parse_size("512KiB").value(), 512ULL << 10);
  EXPECT_EQ(parse_size("1GiB").value(), 1ULL << 30);
  EXPECT_EQ(parse_size("1048576").value(), 1048576U);
  for (const char* text : {"", "MiB", "10MB", "10 MiB", "10mib", "-1", "1.5GiB", "99999999999999GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Sizes, RoundTrip) {
  for (const std::uint64_t n : {0ULL, 1ULL, 1023ULL, 1024ULL, 10ULL << 20, 3ULL << 30, (1ULL << 20) + 1}) {
    EXPECT_EQ(parse_size(size_text(n)).value(), n);
  }
}

TEST(Servers, HaveAPortOrGet25) {
  EXPECT_EQ(parse_server("10.0.0.5:2525").value(), (HostPort{"10.0.0.5", 2525}));
  EXPECT_EQ(parse_server("10.0.0.5").value(), (HostPort{"10.0.0.5", 25}));
  EXPECT_EQ(parse_server("Mail.Example.TEST:26").value(), (HostPort{"mail.example.test", 26}));
  EXPECT_EQ(parse_server("[2001:db8::1]:26").value(), (HostPort{"2001:db8::1", 26}));
  EXPECT_EQ(parse_server("[2001:db8::1]").value(), (HostPort{"2001:db8::1", 25}));
  EXPECT_EQ(parse_server("[2001:db8::1]:26").value().text(), "[2001:db8::1]:26");
  EXPECT_EQ(parse_server("[2001:DB8:0:0:0::1]:26").value().text(), "[2001:db8::1]:26") << "one address has one text";
}

TEST(Servers, RefuseWhatIsNeitherNameNorAddress) {
  for (const char* text : {"", ":25", "10.0.0.5:", "10.0.0.5:0", "10.0.0.5:65536", "10.0.0.5:smtp", "10.0.0", "10.0.0.256:25",
                           "2001:db8::1", "[10.0.0.5", "[2001:db8::1]25", "[host]:25", "a_b:25", "-a.test", "a..test",
                           "a b.test", "host.:25"}) {
    EXPECT_FALSE(parse_server(text)) << text;
  }
}

TEST(Listeners, AreAddresses) {
  EXPECT_EQ(parse_listen("127.0.0.1:2525").value(), (HostPort{"127.0.0.1", 2525}));
  EXPECT_EQ(parse_listen("[::]:25").value(), (HostPort{"::", 25}));
  EXPECT_EQ(parse_listen("*:25").value(), (HostPort{"0.0.0.0", 25}));
  EXPECT_FALSE(parse_listen("localhost:25"));
  EXPECT_FALSE(parse_listen(":25"));
}

TEST(Hostnames, FollowRfc1123) {
  for (const char* name : {"mx.example.test", "a", "1a.test", "xn--bcher-kva.test", "a-b.c"}) {
    EXPECT_EQ(hostname_fault(name), "") << name;
  }
  EXPECT_EQ(hostname_fault("mx.example.test."), "ends with a dot");
  EXPECT_EQ(hostname_fault("mx_1.example.test"), "has a '_' in it");
  EXPECT_EQ(hostname_fault("b\xc3\xbc" "cher.test"), "has a letter outside ASCII; write it in its xn-- form");
  EXPECT_EQ(hostname_fault(std::string(64, 'a') + ".test"), "has a part of more than 63 characters");
  EXPECT_EQ(hostname_fault("10.0.0.5"), "is an address");
  EXPECT_EQ(hostname_fault("a.5"), "ends in a number, as addresses do");
  EXPECT_EQ(hostname_fault(""), "is empty");
}

TEST(LocalParts, AreDotAtoms) {
  for (const char* good : {"sales", "a.b", "o'neil", "a+b", "x=y"}) EXPECT_EQ(local_part_fault(good), "") << good;
  for (const char* bad : {"", ".a", "a.", "a..b", "a b", "\"a\"", "a@b", "a\tb"}) EXPECT_NE(local_part_fault(bad), "") << bad;
  EXPECT_NE(local_part_fault(std::string(65, 'a')), "");
}

TEST(YamlScalars, AreQuotedWhereNeeded) {
  EXPECT_EQ(yaml_scalar("mx.example.test"), "mx.example.test");
  EXPECT_EQ(yaml_scalar(""), "\"\"");
  EXPECT_EQ(yaml_scalar("4.7.*"), "\"4.7.*\"");
  EXPECT_EQ(yaml_scalar("a\"b\\c\n"), "\"a\\\"b\\\\c\\x0a\"");
  EXPECT_EQ(yaml_scalar("null"), "\"null\"");
}

}  // namespace
}  // namespace holdfast::config
