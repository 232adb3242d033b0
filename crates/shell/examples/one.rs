//! x
fn main() {
    let s = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let mut p = tree_sitter::Parser::new();
    p.set_language(&tree_sitter_bash::LANGUAGE.into()).unwrap();
    let t = p.parse(&s, None).unwrap();
    println!("{} {}", t.root_node().has_error(), t.root_node().descendant_count());
}
