//! A person signed in to pgAdmin: its tree, the rows of a table, a query.
//!
//! The tree keeps only those rows in the page that are in sight, and moves them about while it
//! loads. So a row is found and clicked in one step, in the page, and the window is tall.

use std::path::Path;

use fantoccini::{Locator, elements::Element, error::CmdError, key::Key};
use serde_json::{Value, json};

use crate::{browser::Browser, process::comes_true};

const TREE: &str = "return [...document.querySelectorAll('.file-entry')].map(entry => ({
    depth: Number(entry.dataset.depth),
    name: entry.querySelector('.file-name').textContent,
    count: entry.querySelector('.children-count')?.textContent.replace(/\\D/g, '') ?? '',
    open: entry.querySelector('.directory-toggle.open') !== null,
}))";

/// Clicks into the row of a number if it still is the one that was meant.
const CLICK: &str = "const [row, name, part] = arguments;
    const entry = document.querySelectorAll('.file-entry')[row];
    if (entry?.querySelector('.file-name').textContent !== name) return false;
    entry.querySelector(part).click();
    return true;";

const SEEN: &str = "return [...document.querySelectorAll(arguments[0])]
    .filter(found => found.checkVisibility()).map(found => found.innerText).join('\\n')";

const CELLS: &str = "return [...document.querySelectorAll('#id-dataoutput .rdg-row')].map(row =>
    [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.innerText))";

/// Where pgAdmin asks for a password, and says why it was of no use.
const DIALOG: &str = ".MuiDialog-root";

/// A row of the tree.
struct Node {
    depth: u64,
    name: String,
    /// How many children it is said to have, where that is said.
    count: Option<usize>,
    open: bool,
}

/// A browser that is signed in.
pub struct Session {
    browser: Browser,
}

impl Session {
    pub(super) async fn start(browser: Browser, url: &str, user: &str, password: &str) -> Self {
        browser.client.set_window_size(1280, 1600).await.unwrap();
        let session = Self { browser };
        session.browser.open(url).await;
        session.visible("[name=internal_button]").await;
        session.browser.fill("email", user).await;
        session.browser.fill("password", password).await;
        session.press("[name=internal_button]").await;
        session
            .until("the tree", async || !session.tree().await.is_empty())
            .await;
        session
    }

    /// Keeps a picture of what is to be seen now.
    pub async fn picture(&self, file: &Path) {
        self.browser.picture(file).await;
    }

    /// Connects the only server of a group.
    pub async fn connect(&self, group: &str, server: &str, password: &str) {
        self.give_password(group, password).await;
        self.until(&format!("{server} to be connected"), async || {
            !children(&self.tree().await, &[group, server]).is_empty()
        })
        .await;
    }

    /// Tries to connect the only server of a group, and returns why it was refused.
    pub async fn refused(&self, group: &str, password: &str) -> String {
        self.give_password(group, password).await;
        self.refusal().await
    }

    /// What is said when a server lets nobody in: after a password, or a tool that was opened.
    pub async fn refusal(&self) -> String {
        let mut shown = String::new();
        self.until("the refusal", async || {
            shown = self.seen(DIALOG).await;
            shown.contains("failed")
        })
        .await;
        shown
    }

    /// pgAdmin opens an only child by itself, and asks for a password when it is a server. It asks
    /// once more, in front, when it brings back a tool that was left open.
    async fn give_password(&self, group: &str, password: &str) {
        self.unfold(&[group]).await;
        self.until("the question for a password", async || {
            let shown = self.shown(DIALOG).await;
            let Some(dialog) = shown.last() else {
                return false;
            };
            fill(dialog, password).await.is_ok()
        })
        .await;
    }

    /// What the tree shows under a node.
    pub async fn children(&self, path: &[&str]) -> Vec<String> {
        for depth in 1..=path.len() {
            self.unfold(&path[..depth]).await;
        }
        children(&self.tree().await, path)
            .iter()
            .map(|node| node.name.clone())
            .collect()
    }

    /// The rows of a table, as View Data shows them once one of them holds a value. The grid draws
    /// its rows before it draws the cells in them.
    pub async fn rows(&self, table: &[&str], value: &str) -> Vec<Vec<String>> {
        self.select(table).await;
        self.tool("All Rows").await;
        let mut rows: Vec<Vec<String>> = Vec::new();
        self.until(value, async || {
            let cells = self.browser.client.execute(CELLS, vec![]).await.unwrap();
            rows = serde_json::from_value(cells).unwrap();
            rows.iter().flatten().any(|cell| cell == value)
        })
        .await;
        rows
    }

    /// Opens the Query Tool on a node; [`Self::error_of`] writes into it.
    pub async fn query_tool(&self, path: &[&str]) {
        self.select(path).await;
        self.tool("Query Tool").await;
    }

    /// Back from a tool to the tree.
    pub async fn leave_tool(&self) {
        self.browser.client.enter_parent_frame().await.unwrap();
    }

    /// Runs a query that fails, and returns what is said. It has to differ from what the one before
    /// it said: that is how the answer is told from it.
    pub async fn error_of(&self, sql: &str) -> String {
        let before = self.seen("#id-messages").await;
        let editor = self.visible(".cm-content").await;
        let all = Key::Control + "a";
        for keys in [&all, sql, &String::from(char::from(Key::F5))] {
            editor.send_keys(keys).await.unwrap();
        }
        let mut shown = String::new();
        self.until(sql, async || {
            shown = self.seen("#id-messages").await;
            shown.contains("SQL state") && shown != before
        })
        .await;
        shown
    }

    /// Opens a tool on what is selected, and turns to it. Those opened before stay in the page.
    async fn tool(&self, label: &str) {
        let all = Locator::Css("iframe");
        let before = self.browser.client.find_all(all).await.unwrap().len();
        self.press(&format!("[data-label='{label}']:enabled")).await;
        self.until(label, async || {
            let tools = self.browser.client.find_all(all).await.unwrap();
            match tools.last() {
                Some(tool) if tools.len() > before => tool.enter_frame().await.is_ok(),
                _ => false,
            }
        })
        .await;
    }

    async fn seen(&self, css: &str) -> String {
        let text = self.browser.client.execute(SEEN, vec![json!(css)]).await;
        text.unwrap().as_str().unwrap().to_owned()
    }

    async fn shown(&self, css: &str) -> Vec<Element> {
        let mut shown = Vec::new();
        let client = &self.browser.client;
        for element in client.find_all(Locator::Css(css)).await.unwrap() {
            // What has gone in the meantime is not shown.
            if element.is_displayed().await.unwrap_or(false) {
                shown.push(element);
            }
        }
        shown
    }

    /// One of these, once it is shown.
    async fn visible(&self, css: &str) -> Element {
        let mut found = None;
        self.until(css, async || {
            found = self.shown(css).await.pop();
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    async fn press(&self, css: &str) {
        self.until(css, async || self.visible(css).await.click().await.is_ok())
            .await;
    }

    async fn select(&self, path: &[&str]) {
        self.children(&path[..path.len() - 1]).await;
        self.click(path, ".file-name").await;
        // The tools are those of the selected node only when the tree says that it is.
        self.until("the selection", async || {
            self.seen(".file-entry.active .file-name").await == path[path.len() - 1]
        })
        .await;
    }

    /// Opens a node whose parent is open, and waits for its children.
    async fn unfold(&self, path: &[&str]) {
        let (last, parent) = path.split_last().unwrap();
        let mut siblings = 0;
        self.until(&format!("{last} in the tree"), async || {
            let tree = self.tree().await;
            siblings = children(&tree, parent).len();
            find(&tree, path).is_some()
        })
        .await;
        let by_itself = siblings == 1 && !parent.is_empty();
        let tree = self.tree().await;
        if !by_itself && find(&tree, path).is_some_and(|row| !tree[row].open) {
            self.click(path, ".directory-toggle").await;
        }
        self.until(&format!("{last} open"), async || {
            let tree = self.tree().await;
            let row = find(&tree, path).filter(|row| tree[*row].open);
            row.is_some_and(|row| {
                let shown = children(&tree, path).len();
                shown > 0 && tree[row].count.is_none_or(|count| count == shown)
            })
        })
        .await;
    }

    async fn click(&self, path: &[&str], part: &str) {
        self.until(&format!("a click on {path:?}"), async || {
            let Some(row) = find(&self.tree().await, path) else {
                return false;
            };
            let arguments = vec![json!(row), json!(path[path.len() - 1]), json!(part)];
            self.browser.client.execute(CLICK, arguments).await.unwrap() == json!(true)
        })
        .await;
    }

    /// Waits for something to be so, or else shows what there was instead.
    async fn until(&self, what: &str, ready: impl AsyncFnMut() -> bool) {
        if !comes_true(ready).await {
            let picture = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../target/pictures/pgadmin-fault.png"
            );
            self.picture(Path::new(picture)).await;
            panic!("pgAdmin: waited in vain for {what}; see {picture}");
        }
    }

    /// What the tree shows; nothing where the page is not there yet.
    async fn tree(&self) -> Vec<Node> {
        let Ok(rows) = self.browser.client.execute(TREE, vec![]).await else {
            return Vec::new();
        };
        let node = |row: &Value| Node {
            depth: row["depth"].as_u64().unwrap(),
            name: row["name"].as_str().unwrap().to_owned(),
            count: row["count"].as_str().unwrap().parse().ok(),
            open: row["open"].as_bool().unwrap(),
        };
        rows.as_array().unwrap().iter().map(node).collect()
    }
}

/// Gives a dialog the password that it asks for.
async fn fill(dialog: &Element, password: &str) -> Result<(), CmdError> {
    let field = dialog.find(Locator::Css("[type=password]")).await?;
    field.clear().await?;
    field.send_keys(password).await?;
    let accept = dialog.find(Locator::Css("[data-test=save]")).await?;
    accept.click().await
}

/// The row of a node, by the names from the top down to it.
fn find(tree: &[Node], path: &[&str]) -> Option<usize> {
    let (last, parent) = path.split_last()?;
    let start = if parent.is_empty() {
        0
    } else {
        find(tree, parent)? + 1
    };
    let depth = u64::try_from(path.len()).unwrap();
    let beneath = tree[start..].iter().take_while(|node| node.depth >= depth);
    let mut rows = beneath.enumerate();
    let (row, _) = rows.find(|(_, node)| node.depth == depth && node.name == *last)?;
    Some(start + row)
}

fn children<'a>(tree: &'a [Node], path: &[&str]) -> Vec<&'a Node> {
    let start = if path.is_empty() {
        Some(0)
    } else {
        find(tree, path).map(|row| row + 1)
    };
    let depth = u64::try_from(path.len() + 1).unwrap();
    let beneath = tree[start.unwrap_or(tree.len())..].iter();
    beneath
        .take_while(|node| node.depth >= depth)
        .filter(|node| node.depth == depth)
        .collect()
}
