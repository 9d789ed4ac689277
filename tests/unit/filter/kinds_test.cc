#include "filter/kinds.h"

#include "tests/unit/filter/parts.h"

namespace holdfast::filter {
namespace {

TEST(Kinds, AreKnownByTheirFirstBytes) {
  EXPECT_EQ(kind_of(program()), Kind::kExecutable);
  EXPECT_EQ(kind_of("\x7F" "ELF\x02\x01"sv), Kind::kExecutable);
  EXPECT_EQ(kind_of("\xCA\xFE\xBA\xBE\0\0"sv), Kind::kExecutable);
  EXPECT_EQ(kind_of("#!/bin/sh\n"), Kind::kScript);
  EXPECT_EQ(kind_of("\xEF\xBB\xBF#! /bin/sh\n"), Kind::kScript);
  EXPECT_EQ(kind_of("L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0\0\0\0F"sv), Kind::kShortcut);
  EXPECT_EQ(kind_of(std::string(32'769, '\0') + "CD001"), Kind::kImage);
}

TEST(Kinds, OfTextsAreNone) {
  EXPECT_EQ(kind_of("MZ is how Mark Zbikowski signs, and this is a letter that begins with his initials, nothing more"), Kind::kOther);
  EXPECT_EQ(kind_of("#!important {"), Kind::kOther);
  EXPECT_EQ(kind_of(""), Kind::kOther);
  EXPECT_EQ(kind_of("MZ"), Kind::kOther);
}

TEST(Kinds, AnArchiveMayHaveBytesBeforeIt) {
  const std::string zip = packed("zip", {{"a.txt", "hello"}});
  EXPECT_TRUE(is_archive(zip));
  EXPECT_TRUE(is_archive("GIF89a and more" + zip));
  EXPECT_FALSE(is_archive("PK is a name"));
  for (const char* format : {"ustar", "7zip", "newc"}) EXPECT_TRUE(is_archive(packed(format, {{"a.txt", "hello"}}))) << format;
}

TEST(Kinds, MacrosAreAProjectOfVisualBasic) {
  const std::string ole = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + std::string(1'000, '\0');
  EXPECT_TRUE(is_ole(ole));
  EXPECT_FALSE(ole_has_macros(ole));
  EXPECT_TRUE(ole_has_macros(ole + std::string("_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"sv)));
  EXPECT_TRUE(is_macro_entry("vbaproject.bin", "word/vbaproject.bin"));
  EXPECT_FALSE(is_macro_entry("document.xml", "word/document.xml"));
}

}  // namespace
}  // namespace holdfast::filter
