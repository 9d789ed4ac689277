#include "common/net/proxy_header.h"

#include <random>

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

using namespace std::string_literals;
using Status = ProxyHeader::Status;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size() & 0xff) + rest;
}

void expect_bad(const std::string& bytes) {
  EXPECT_EQ(parse_proxy_header(bytes).status, Status::kBad) << ::testing::PrintToString(bytes);
}

// Each beginning of it is incomplete, and what follows it is left alone.
ProxyHeader whole(const std::string& bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(parse_proxy_header(bytes.substr(0, i)).status, Status::kIncomplete) << i;
  }
  const auto out = parse_proxy_header(bytes + "EHLO c.test\r\n");
  EXPECT_EQ(out.status, Status::kComplete) << out.fault;
  EXPECT_EQ(out.length, bytes.size());
  return out;
}

TEST(ProxyHeader, Line) {
  const auto v4 = whole("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25\r\n");
  EXPECT_EQ(v4.client->text(), "192.0.2.1:56324");
  EXPECT_EQ(v4.server->text(), "198.51.100.7:25");
  const auto v6 = whole("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n");
  EXPECT_EQ(v6.client->text(), "[2001:db8::1]:0");
  EXPECT_EQ(v6.server->text(), "[2001:db8::2]:65535");
}

TEST(ProxyHeader, LineOfUnknown) {
  EXPECT_FALSE(whole("PROXY UNKNOWN\r\n").client);
  EXPECT_FALSE(whole("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n").client);
}

TEST(ProxyHeader, BadLines) {
  for (const auto* line : {"EHLO c.test\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
                           "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
                           "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 h.test 1.2.3.4 1 2\r\n", "PROXY \r\n",
                           "PROXY TCP4\r\n", "X", "\r\nX"}) {
    expect_bad(line);
  }
  expect_bad("PROXY UNKNOWN " + std::string(93, 'x'));
}

TEST(ProxyHeader, Binary) {
  const auto v4 = whole(binary(0x21, 0x11, "\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\0\x19"s));
  EXPECT_EQ(v4.client->text(), "192.0.2.1:56324");
  EXPECT_EQ(v4.server->text(), "198.51.100.7:25");
  const std::string one = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\x01';
  const auto v6 = whole(binary(0x21, 0x21, one + one + "\0\x07\0\x19"s));
  EXPECT_EQ(v6.client->text(), "[2001:db8::1]:7");
}

TEST(ProxyHeader, BinaryWithTlvs) {
  const auto out = whole(binary(0x21, 0x11, "\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\0\x19"s + "\x04\0\x03"s + "abc"));
  EXPECT_EQ(out.client->text(), "192.0.2.1:56324");
}

TEST(ProxyHeader, BinaryThatNamesNoClient) {
  EXPECT_FALSE(whole(binary(0x20, 0x00, "")).client);                                                      // LOCAL
  EXPECT_FALSE(whole(binary(0x20, 0x11, "\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\0\x19"s)).client);  // LOCAL, addresses and all
  EXPECT_FALSE(whole(binary(0x21, 0x00, "")).client);                                                      // UNSPEC
  EXPECT_FALSE(whole(binary(0x21, 0x31, std::string(216, 'x'))).client);                                   // Unix
}

TEST(ProxyHeader, BadBinaries) {
  expect_bad(binary(0x11, 0x11, std::string(12, 'x')));
  expect_bad(binary(0x22, 0x11, std::string(12, 'x')));
  expect_bad(binary(0x21, 0x11, std::string(11, 'x')));
  expect_bad(binary(0x21, 0x21, std::string(35, 'x')));
  expect_bad(binary(0x21, 0x41, std::string(12, 'x')));
  expect_bad(binary(0x21, 0x13, std::string(12, 'x')));
  expect_bad(kSignature + "\x21\x11\xff\xff"s);  // before its 64 KiB have come
  expect_bad("\r\n\r\n\0\r\nQUIX"s);
}

TEST(ProxyHeader, OfOurOwn) {
  const auto v4 = whole(proxy_v2_header(*SocketAddress::ip("192.0.2.1", 1025), *SocketAddress::ip("192.0.2.2", 25)));
  EXPECT_EQ(v4.client->text(), "192.0.2.1:1025");
  EXPECT_EQ(v4.server->text(), "192.0.2.2:25");
  const auto v6 = whole(proxy_v2_header(*SocketAddress::ip("2001:db8::1", 1025), *SocketAddress::ip("2001:db8::2", 25)));
  EXPECT_EQ(v6.client->text(), "[2001:db8::1]:1025");
  EXPECT_EQ(v6.server->text(), "[2001:db8::2]:25");
  EXPECT_FALSE(whole(proxy_v2_header(*SocketAddress::ip("192.0.2.1", 1), *SocketAddress::ip("::1", 25))).client);
  EXPECT_FALSE(whole(proxy_v2_local()).client);
}

// Whatever comes, it is decided within the bound.
TEST(ProxyHeader, IsNeverIncompleteForever) {
  std::mt19937 random(20'261'122);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = round % 2 ? "PROXY " : kSignature + '\x21';
    while (bytes.size() < kMaxProxyHeader) bytes.push_back(static_cast<char>(random()));
    const auto out = parse_proxy_header(bytes);
    EXPECT_NE(out.status, Status::kIncomplete);
    EXPECT_LE(out.length, bytes.size());
  }
}

}  // namespace
}  // namespace holdfast::net
