#include "provisioning/kernel/expression.hpp"

#include <algorithm>

namespace bramble::kernel {
namespace {

bool is_symbol_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum class TokenKind { end, symbol, text, macro, sign };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;  // without quotes
    std::size_t begin = 0;  // where it begins in the expression
};

class Tokens {
public:
    explicit Tokens(std::string_view expression) : all_(expression) { next(); }

    const Token& peek() const { return token_; }

    bool is(std::string_view sign) const {
        return token_.kind == TokenKind::sign && token_.text == sign;
    }

    void next() {
        while (at_ < all_.size() && (all_[at_] == ' ' || all_[at_] == '\t')) ++at_;
        token_ = {TokenKind::end, {}, at_};
        if (at_ == all_.size()) return;
        const char c = all_[at_];
        if (c == '"' || c == '\'') return take_quoted(c);
        if (c == '$') return take_macro();
        if (is_symbol_character(c)) {
            const std::size_t begin = at_;
            while (at_ < all_.size() && is_symbol_character(all_[at_])) ++at_;
            token_ = {TokenKind::symbol, all_.substr(begin, at_ - begin), begin};
            return;
        }
        for (const std::string_view sign : {"&&", "||", "!=", "<=", ">="}) {
            if (all_.substr(at_).starts_with(sign)) return take(sign.size());
        }
        take(1);
    }

private:
    void take(std::size_t size) {
        token_ = {TokenKind::sign, all_.substr(at_, size), at_};
        at_ += size;
    }

    void take_quoted(char quote) {
        const std::size_t begin = at_++;
        const std::size_t end = std::min(all_.find(quote, at_), all_.size());
        token_ = {TokenKind::text, all_.substr(at_, end - at_), begin};
        at_ = std::min(end + 1, all_.size());
    }

    void take_macro() {
        const std::size_t begin = at_;
        int open = 0;
        for (++at_; at_ < all_.size(); ++at_) {
            if (all_[at_] == '(') ++open;
            if (all_[at_] == ')' && --open <= 0) {
                ++at_;
                break;
            }
            if (open == 0 && !is_symbol_character(all_[at_])) break;
        }
        token_ = {TokenKind::macro, all_.substr(begin, at_ - begin), begin};
    }

    std::string_view all_;
    std::size_t at_ = 0;
    Token token_;
};

using Answer = std::optional<Tristate>;

Answer both(Answer a, Answer b) {
    if (a == Tristate::no || b == Tristate::no) return Tristate::no;
    if (!a || !b) return std::nullopt;
    return std::min(*a, *b);
}

Answer either(Answer a, Answer b) {
    if (a == Tristate::yes || b == Tristate::yes) return Tristate::yes;
    if (!a || !b) return std::nullopt;
    return std::max(*a, *b);
}

// y, m and n are themselves; a number or a text as a condition is no.
Tristate as_condition(std::string_view value) {
    if (value == "y") return Tristate::yes;
    return value == "m" ? Tristate::module : Tristate::no;
}

class Evaluation {
public:
    Evaluation(std::string_view expression, const Options& options)
        : tokens_(expression), options_(options) {}

    Answer run() {
        const Answer answer = disjunction(0);
        return tokens_.peek().kind == TokenKind::end && !broken_ ? answer : std::nullopt;
    }

private:
    Answer disjunction(int depth) {
        Answer answer = conjunction(depth);
        while (tokens_.is("||")) {
            tokens_.next();
            answer = either(answer, conjunction(depth));
        }
        return answer;
    }

    Answer conjunction(int depth) {
        Answer answer = negation(depth);
        while (tokens_.is("&&")) {
            tokens_.next();
            answer = both(answer, negation(depth));
        }
        return answer;
    }

    Answer negation(int depth) {
        bool inverted = false;
        while (tokens_.is("!")) {
            inverted = !inverted;
            tokens_.next();
        }
        const Answer answer = atom(depth);
        if (!inverted || !answer) return answer;
        return static_cast<Tristate>(2 - static_cast<int>(*answer));
    }

    Answer atom(int depth) {
        if (depth > expression_depth_max) return bad();
        if (tokens_.is("(")) {
            tokens_.next();
            const Answer answer = disjunction(depth + 1);
            if (!tokens_.is(")")) return bad();
            tokens_.next();
            return answer;
        }
        const Token left = tokens_.peek();
        if (left.kind == TokenKind::end || left.kind == TokenKind::sign) return bad();
        tokens_.next();
        for (const std::string_view sign : {"=", "!=", "<", ">", "<=", ">="}) {
            if (tokens_.is(sign)) return comparison(left, sign);
        }
        if (left.kind == TokenKind::macro) return std::nullopt;
        return as_condition(value(left));
    }

    Answer comparison(const Token& left, std::string_view sign) {
        tokens_.next();
        const Token right = tokens_.peek();
        if (right.kind == TokenKind::end || right.kind == TokenKind::sign) return bad();
        tokens_.next();
        const bool macro = left.kind == TokenKind::macro || right.kind == TokenKind::macro;
        // Orders are of numbers such as a compiler's version: seldom what an option was lost for.
        if (macro || (sign != "=" && sign != "!=")) return std::nullopt;
        const bool equal = value(left) == value(right);
        return equal == (sign == "=") ? Tristate::yes : Tristate::no;
    }

    std::string_view value(const Token& token) const {
        if (token.kind == TokenKind::text) return token.text;
        if (token.text == "y" || token.text == "m" || token.text == "n") return token.text;
        const auto found = options_.find(token.text);
        if (found == options_.end()) {
            const bool constant = token.text.find_first_not_of("0123456789") == token.text.npos;
            return constant ? token.text : std::string_view("n");
        }
        std::string_view text = found->second;
        if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
        return text;
    }

    Answer bad() {
        broken_ = true;
        return std::nullopt;
    }

    Tokens tokens_;
    const Options& options_;
    bool broken_ = false;
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// The parts between the outermost "&&"; the whole when there is an outermost "||".
std::vector<std::string_view> conjuncts(std::string_view expression) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    int open = 0;
    for (Tokens tokens(expression); tokens.peek().kind != TokenKind::end; tokens.next()) {
        if (tokens.is("(")) ++open;
        if (tokens.is(")")) --open;
        if (open == 0 && tokens.is("||")) return {trimmed(expression)};
        if (open == 0 && tokens.is("&&")) {
            parts.push_back(trimmed(expression.substr(begin, tokens.peek().begin - begin)));
            begin = tokens.peek().begin + 2;
        }
    }
    parts.push_back(trimmed(expression.substr(begin)));
    return parts;
}

void collect_unmet(
    std::string_view expression,
    const Options& options,
    Tristate wanted,
    std::vector<std::string>& unmet
) {
    constexpr std::size_t unmet_max = 32;
    for (std::string_view part : conjuncts(expression)) {
        const Answer answer = evaluate(part, options);
        if (!answer || *answer >= wanted || unmet.size() >= unmet_max) continue;
        const bool wrapped = part.size() >= 2 && part.front() == '(' && part.back() == ')';
        const std::string_view inner = wrapped ? part.substr(1, part.size() - 2) : part;
        if (wrapped && evaluate(inner, options)) {
            collect_unmet(inner, options, wanted, unmet);
        } else {
            unmet.emplace_back(part);
        }
    }
}

}  // namespace

std::optional<Tristate> evaluate(std::string_view expression, const Options& options) {
    return Evaluation(expression, options).run();
}

std::vector<std::string> unmet_parts(
    std::string_view expression, const Options& options, Tristate wanted
) {
    std::vector<std::string> unmet;
    collect_unmet(expression, options, wanted, unmet);
    return unmet;
}

std::vector<std::string> symbols_in(std::string_view expression) {
    std::vector<std::string> symbols;
    for (Tokens tokens(expression); tokens.peek().kind != TokenKind::end; tokens.next()) {
        const Token& token = tokens.peek();
        const bool constant = token.text == "y" || token.text == "m" || token.text == "n";
        if (token.kind != TokenKind::symbol || constant) continue;
        const std::string name(token.text);
        if (std::ranges::find(symbols, name) == symbols.end()) symbols.push_back(name);
    }
    return symbols;
}

}  // namespace bramble::kernel
