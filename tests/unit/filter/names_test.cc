#include "filter/names.h"

#include <gtest/gtest.h>

namespace holdfast::filter {
namespace {

TEST(Names, LoseWhatHidesTheirEnd) {
  EXPECT_EQ(plain_name("Invoice.EXE"), "invoice.exe");
  EXPECT_EQ(plain_name("invoice.exe. . "), "invoice.exe");
  EXPECT_EQ(plain_name("invoice\xE2\x80\xAE" "fdp.exe"), "invoicefdp.exe");
  EXPECT_EQ(plain_name("in\xE2\x80\x8Bvoice.e\xC2\xADxe"), "invoice.exe");
  EXPECT_EQ(plain_name("invoice\xEF\xBC\x8E\xEF\xBD\x85\xEF\xBD\x98\xEF\xBD\x85"), "invoice.exe");  // of full width
  EXPECT_EQ(plain_name("C:\\Users\\..\\invoice.exe"), "invoice.exe");
  EXPECT_EQ(plain_name("../../etc/invoice.exe"), "invoice.exe");
  EXPECT_EQ(plain_name("invoice.exe::$DATA"), "invoice.exe");
  EXPECT_EQ(plain_name("a\r\nb\x01.exe"), "ab.exe");
  EXPECT_EQ(plain_name("\xFF.exe"), "\xEF\xBF\xBD.exe");  // no UTF-8
  EXPECT_EQ(plain_name(""), "");
  EXPECT_EQ(plain_name("..."), "");
}

TEST(Names, OfAnyLengthKeepTheirEnd) { EXPECT_TRUE(plain_name(std::string(100'000, 'x') + ".exe").ends_with("x.exe")); }

TEST(Names, ThatTurnTheDirectionAreDisguised) {
  EXPECT_TRUE(is_disguised("a\xE2\x80\xAE" "txt.b"));
  EXPECT_FALSE(is_disguised("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D.pdf"));  // honest Hebrew
}

TEST(Names, AreShownInPrintableAscii) {
  EXPECT_EQ(shown_name("b\xC3\xBC" "cher.exe"), "b?cher.exe");
  EXPECT_EQ(shown_name("a\"b\\c\r\n"), "a?b?c??");
  const std::string shown = shown_name(std::string(200, 'x') + ".exe");
  EXPECT_EQ(shown.size(), 60U);
  EXPECT_TRUE(shown.starts_with("...x") && shown.ends_with("x.exe"));
}

TEST(Names, LoseTheirLastEnding) {
  EXPECT_EQ(without_ending("a.tar.gz"), "a.tar");
  EXPECT_EQ(without_ending(".gz"), ".gz");
  EXPECT_EQ(without_ending("gz"), "gz");
}

}  // namespace
}  // namespace holdfast::filter
