#include "filter/archive.h"

#include "tests/unit/filter/parts.h"

namespace holdfast::filter {
namespace {

config::ContentFilter all_rejected() {
  auto out = settings();
  out.encrypted = out.damaged = out.macros = out.images = "reject";
  return out;
}

TEST(Archives, AreOpened) {
  for (const char* format : {"zip", "ustar", "pax", "7zip", "newc"}) {
    EXPECT_EQ(texts(look(with("photos.bin", packed(format, {{"readme.txt", "hello"}, {"a/invoice.exe", "x"}})))),
              std::vector<std::string>{"\"a/invoice.exe\" in attachment \"photos.bin\" is not allowed here"})
        << format;
  }
}

TEST(Archives, AreOpenedWhenCompressed) {
  for (const char* filter : {"gzip", "bzip2", "xz", "zstd"}) {
    EXPECT_EQ(rules(look(with("a.tar.x", packed("ustar", {{"invoice.exe", "x"}}, nullptr, filter)))), "name") << filter;
    EXPECT_EQ(rules(look(with("invoice.exe.x", packed("raw", {{"data", program()}}, nullptr, filter)))), "name executable") << filter;
  }
}

TEST(Archives, ProgramsInThemAreKnownByTheirBytes) {
  EXPECT_EQ(texts(look(with("photos.zip", packed("zip", {{"holiday.jpg", program()}})))),
            std::vector<std::string>{"\"holiday.jpg\" in attachment \"photos.zip\" is a program, which is not allowed here"});
}

TEST(Archives, InArchivesAreOpenedSoDeep) {
  std::string inner = packed("zip", {{"invoice.exe", "x"}});
  inner = packed("ustar", {{"inner.zip", inner}});
  EXPECT_EQ(rules(look(with("a.zip", packed("zip", {{"a.tar", inner}})))), "name");
  for (int i = 0; i < 3; ++i) inner = packed("zip", {{"next.zip", inner}});
  EXPECT_EQ(rules(look(with("a.zip", inner))), "damaged");
}

TEST(Archives, NamesWithFoldersAreNamesNevertheless) {
  for (const char* name : {"../../../evil.exe", "C:\\evil.exe", "/etc/evil.exe", "a/b\\evil.EXE."}) {
    EXPECT_TRUE(rules(look(with("a.zip", packed("zip", {{name, "x"}})))).starts_with("name")) << name;
  }
}

TEST(Archives, ANameIsLookedForInBothPlacesOfAZip) {
  std::string zip = packed("zip", {{"harmless.txt", "x"}});
  const auto at = zip.rfind("harmless.txt");  // that of the directory stays
  ASSERT_NE(zip.find("harmless.txt"), at);
  zip.replace(zip.find("harmless.txt"), 12, "harmful1.exe");
  EXPECT_EQ(rules(look(with("a.zip", zip))), "name");
  std::string other = packed("zip", {{"harmless.txt", "x"}});
  other.replace(other.rfind("harmless.txt"), 12, "harmful1.exe");
  EXPECT_EQ(rules(look(with("a.zip", other))), "name");
}

TEST(Archives, EncryptedOnesAreToldWithTheirNames) {
  for (const char* way : {"zip:encryption=zipcrypt", "zip:encryption=aes256"}) {
    const std::string zip = packed("zip", {{"secret.txt", "hello hello"}}, way);
    EXPECT_EQ(texts(look(with("a.zip", zip))), std::vector<std::string>{"attachment \"a.zip\" is encrypted and cannot be checked"}) << way;
    EXPECT_EQ(rules(look(with("a.zip", packed("zip", {{"secret.exe", "hello"}}, way)))), "name encrypted") << way;
  }
}

TEST(Archives, DamagedOnesAreTold) {
  const std::string random = [] {
    std::string out;
    for (std::uint32_t x = 1; out.size() < 20'000; x = x * 1664525 + 1013904223) out += static_cast<char>(x >> 24);
    return out;
  }();
  for (const char* format : {"zip", "7zip"}) {
    std::string cut = packed(format, {{"a.bin", random}});
    cut.resize(cut.size() / 2);
    EXPECT_EQ(rules(look(with("a.x", cut))), "damaged") << format;
  }
  std::string gz = packed("raw", {{"data", random}}, nullptr, "gzip");
  gz.resize(gz.size() / 2);
  EXPECT_EQ(rules(look(with("a.gz", gz))), "damaged");
}

TEST(Archives, BombsEndAtTheLimitOfBytes) {
  const std::string zeros(32 << 20, '\0');
  const auto bomb = packed("zip", {{"zeros.bin", zeros}});
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(rules(look(with("bomb.zip", bomb))), "damaged damaged");  // the archive, and the message
  EXPECT_EQ(rules(look(with("bomb.zip", packed("zip", {{"b.zip", bomb}})))), "damaged damaged");
  EXPECT_EQ(rules(look(with("bomb.gz", packed("raw", {{"data", zeros}}, nullptr, "gzip")))), "damaged damaged");
}

TEST(Archives, OfManyFilesEndAtTheLimitOfEntries) {
  Files many;
  for (int i = 0; i < 200; ++i) many.emplace_back(std::to_string(i), "");
  EXPECT_EQ(rules(look(with("many.tar", packed("ustar", many)))), "damaged damaged");
}

TEST(Archives, TheSearchEndsWithTheFirstRefusal) {
  const auto report = look(with("a.zip", packed("zip", {{"a.exe", "x"}, {"b.exe", "x"}})), all_rejected(), false);
  EXPECT_EQ(texts(report), std::vector<std::string>{"\"a.exe\" in attachment \"a.zip\" is not allowed here"});
}

TEST(Archives, OfOfficeAreKnownByTheirMacros) {
  EXPECT_EQ(texts(look(with("letter.docx", packed("zip", {{"word/document.xml", "<x/>"}, {"word/vbaProject.bin", "x"}})))),
            std::vector<std::string>{"attachment \"letter.docx\" has macros, which are not allowed here"});
  EXPECT_EQ(rules(look(with("letter.docx", packed("zip", {{"word/document.xml", "<x/>"}})))), "");
}

TEST(Archives, TimeEndsTheSearch) {
  int asked = 0;
  const auto late = [&] { return ++asked > 5; };
  static const bool ready = (prepare_libraries(), true);
  ASSERT_TRUE(ready);
  const auto bytes = with("a.zip", packed("zip", {{"zeros.bin", std::string(4 << 20, '\0')}}));
  EXPECT_EQ(rules(scan(bytes, Policy::from(settings()), late, true)), "damaged damaged");
  EXPECT_LT(asked, 20);
}

}  // namespace
}  // namespace holdfast::filter
