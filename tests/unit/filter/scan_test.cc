#include "filter/scan.h"

#include "tests/unit/filter/parts.h"

namespace holdfast::filter {
namespace {

using Texts = std::vector<std::string>;
const std::string kBad = "attachment \"invoice.exe\" is not allowed here";

TEST(Scan, FindsNothingInHonestMail) {
  EXPECT_EQ(texts(look("Subject: hello\r\n\r\nSee https://good.test/ and write to a@evil.test\r\n")), Texts{});
  EXPECT_EQ(texts(look(message({part("text/plain", "", "hello\r\n"), part("text/html", "", "<p>hello</p>\r\n")}, "alternative"))), Texts{});
  EXPECT_EQ(texts(look(with("report.pdf", "%PDF-1.7 and so on"))), Texts{});
  EXPECT_EQ(texts(look(with("photos.zip", packed("zip", {{"a.jpg", "\xFF\xD8\xFF"}, {"b/c.txt", "hello"}})))), Texts{});
  EXPECT_EQ(texts(look("")), Texts{});
}

TEST(Scan, FindsNames) {
  EXPECT_EQ(texts(look(with("invoice.exe", "x"))), Texts{kBad});
  EXPECT_EQ(texts(look(with("INVOICE.Exe", "x"))), Texts{"attachment \"INVOICE.Exe\" is not allowed here"});
  EXPECT_EQ(rules(look(with("invoice.pdf.exe", "x"))), "name");
}

TEST(Scan, FindsNamesInAllTheirForms) {
  const auto head = [](std::string_view disposition) {
    return look(message({part("application/octet-stream", "Content-Disposition: attachment;" + std::string(disposition) + "\r\n", "x")}));
  };
  EXPECT_EQ(rules(head(" filename*=UTF-8''invoice%2Eexe")), "name");                              // RFC 2231
  EXPECT_EQ(rules(head("\r\n filename*0=\"invo\";\r\n filename*1=\"ice.exe\"")), "name");         // and its pieces
  EXPECT_EQ(rules(head(" filename*0*=UTF-8''invo; filename*1*=ice%2eexe")), "name");
  EXPECT_EQ(rules(head(" filename=\"=?utf-8?B?aW52b2ljZS5leGU=?=\"")), "name");                   // encoded words
  EXPECT_EQ(rules(head(" filename=\"=?utf-8?Q?invoice=2Eexe?=\"")), "name");
  EXPECT_EQ(rules(head(" filename=invoice.exe")), "name");                                        // without quotes
  EXPECT_EQ(rules(head(" filename=\"a.txt\"; filename=\"invoice.exe\"")), "name");                // twice
  EXPECT_EQ(rules(head(" FILENAME = \"invoice.exe\"")), "name");
  EXPECT_EQ(rules(head(" filename=\"invoice\xE2\x80\xAE" "gpj.txt\"")), "name");                  // turned
  EXPECT_EQ(rules(look(message({part("application/octet-stream; name=\"invoice.exe\"",
                                     "Content-Disposition: attachment; filename=\"a.txt\"\r\n", "x")}))), "name");
}

TEST(Scan, FindsTypesAndKinds) {
  EXPECT_EQ(texts(look(message({attachment("a.bin", "x", "application/x-msdownload")}))),
            Texts{"attachment \"a.bin\" of type application/x-msdownload is not allowed here"});
  EXPECT_EQ(texts(look(with("photo.jpg", program()))), Texts{"attachment \"photo.jpg\" is a program, which is not allowed here"});
  EXPECT_EQ(rules(look(message({part("text/plain", "Content-Transfer-Encoding: base64\r\n", base64(program()))}))), "executable");
  auto strict = settings();
  strict.scripts = "reject";
  EXPECT_EQ(rules(look(with("run", "#!/bin/sh\n"), strict)), "script");
  EXPECT_EQ(rules(look(message({part("text/plain", "", "#!/bin/sh\r\n")}), strict)), "");  // quoted in a letter
  EXPECT_EQ(rules(look(message({part("message/partial; id=\"x\"; number=1; total=2", "", "From: a@b\r\n\r\nx\r\n")}))), "type");
}

TEST(Scan, FindsThemInNestedMessages) {
  EXPECT_EQ(texts(look(message({message({message({attachment("invoice.exe", "x")})}).substr(67)}))), Texts{kBad});
  EXPECT_EQ(texts(look(message({part("message/rfc822", "", with("invoice.exe", "x"))}))), Texts{kBad});
  EXPECT_EQ(texts(look(message({part("message/rfc822", "Content-Transfer-Encoding: base64\r\n", base64(with("invoice.exe", "x")))}))),
            Texts{kBad});
  EXPECT_EQ(texts(look(with("forwarded.eml", with("invoice.exe", "x")))), Texts{kBad});
  EXPECT_EQ(rules(look(with("mails.zip", packed("zip", {{"one.eml", with("invoice.exe", "x")}})))), "name");
}

TEST(Scan, FindsThemInBrokenMime) {
  const auto whole = with("invoice.exe", "x");
  EXPECT_EQ(texts(look(whole.substr(0, whole.rfind("--=_cut--")))), Texts{kBad});  // no last boundary
  std::string lost = whole;
  lost.replace(lost.find("; boundary=\"=_cut\""), 18, "");
  EXPECT_EQ(rules(look(lost)), "damaged");
  std::string junk = base64(program());
  junk.insert(4, " !*\x80 \r\n--\r\n");
  EXPECT_EQ(rules(look(message({part("image/png", "Content-Transfer-Encoding: base64\r\n", junk)}))), "executable");
  EXPECT_EQ(rules(look("Content-Type: application/octet-stream; name=invoice.exe\r\n")), "name");  // no body, no MIME-Version
  std::string lf = whole;
  std::erase(lf, '\r');
  EXPECT_EQ(texts(look(lf)), Texts{kBad});
}

TEST(Scan, FindsUuencodedFiles) {
  EXPECT_EQ(texts(look("Subject: x\r\n\r\nhere:\r\nbegin 644 invoice.exe\r\n#0V%T\r\n`\r\nend\r\n")), Texts{kBad});
  EXPECT_EQ(texts(look("Subject: x\r\n\r\nwe begin 644 invoice.exe\r\nbegin with this\r\n")), Texts{});
}

TEST(Scan, FindsLinks) {
  const Texts bad{"link to \"www.evil.test\" is not allowed here"};
  EXPECT_EQ(texts(look("Subject: x\r\n\r\nsee http://www.evil.test/\r\n")), bad);
  EXPECT_EQ(texts(look(message({part("text/html", "Content-Transfer-Encoding: quoted-printable\r\n",
                                     "<a href=3D\"http://www.ev=\r\nil.test/\">x</a>\r\n")}))), bad);
  EXPECT_EQ(texts(look(message({part("text/html", "Content-Transfer-Encoding: base64\r\n",
                                     base64("<a href=\"&#104;ttp://www.evil&#46;test/\">"))}))), bad);
  EXPECT_EQ(texts(look(with("page.html", "<a href=\"http://www.evil.test\">"))), bad);
  EXPECT_EQ(rules(look("Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhttp://b\xFC" "cher.example/\r\n")), "url");
  EXPECT_EQ(rules(look(message({part("text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64\r\n",
                                     base64("h\0t\0t\0p\0:\0/\0/\0e\0v\0i\0l\0.\0t\0e\0s\0t\0/\0"sv))}))), "url");
}

TEST(Scan, IsBoundedInDepthAndParts) {
  std::string deep = "Content-Type: text/plain\r\n\r\nx\r\n";
  for (int i = 0; i < 200; ++i) {
    const std::string cut = "c" + std::to_string(i);
    deep = "Content-Type: multipart/mixed; boundary=" + cut + "\r\n\r\n--" + cut + "\r\n" + deep + "\r\n--" + cut + "--\r\n";
  }
  EXPECT_EQ(rules(look(deep)), "damaged");
  std::string nested = "Subject: x\r\n\r\nx\r\n";
  for (int i = 0; i < 100; ++i) nested = "Content-Type: message/rfc822\r\n\r\n" + nested;
  EXPECT_EQ(rules(look(nested)), "damaged");
  EXPECT_EQ(rules(look(message(std::vector<std::string>(5'000, part("text/plain", "", "x"))))), "damaged");
}

TEST(Scan, KeepsSoManyFindings) {
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back(attachment(std::to_string(i) + ".exe", "x"));
  EXPECT_EQ(look(message(many)).findings.size(), kMostFindings);
}

TEST(Scan, ManyHarmlessFindingsHideNoOther) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(attachment(std::to_string(i), std::string(32'769, '\0') + "CD001"));
  many.push_back(attachment("invoice.exe", "x"));
  const auto report = look(message(many));
  ASSERT_NE(report.worst(), nullptr);
  EXPECT_EQ(report.worst()->text, kBad);
}

TEST(Scan, PassesWhatThePolicyPasses) {
  auto lax = settings();
  lax.names.action = "pass";
  EXPECT_EQ(texts(look(with("invoice.exe", "x"), lax)), Texts{});
}

}  // namespace
}  // namespace holdfast::filter
