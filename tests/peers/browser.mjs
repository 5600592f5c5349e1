// The browser of a person who types nothing: it keeps cookies, follows redirects and sends forms as they are filled in.

export class Browser {
  #cookies = new Map()
  #redirectUri

  // It never visits the client, to whom this redirect URI belongs: arriving there ends the walk.
  constructor(redirectUri) {
    this.#redirectUri = redirectUri
  }

  // The page to which the address leads; it has only its address where that is the client's.
  async visit(url, options = {}) {
    for (let hop = 0; hop < 10; hop++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(url, { redirect: 'manual', ...options, headers: { cookie } })
      for (const line of answer.headers.getSetCookie()) {
        const [name, value] = line.split(';')[0].split('=')
        this.#cookies.set(name, value)
      }
      const location = answer.headers.get('location')
      if (!location) return { url, status: answer.status, text: await answer.text() }
      url = new URL(location, url)
      if (this.#redirectUri && url.href.startsWith(this.#redirectUri)) return { url }
      options = {}
    }
    throw new Error('too many redirects')
  }

  // The address at the client to which a login leads that shows no page.
  async arrive(url) {
    const page = await this.visit(url)
    if (page.status) throw new Error(`${page.status} at ${page.url}: ${page.text.slice(0, 300)}`)
    return page.url
  }

  follow(page, path) {
    const [, href] = page.text.match(new RegExp(`href="([^"]*${path}[^"]*)"`))
    return this.visit(new URL(unescaped(href), page.url))
  }

  submit(page) {
    const { action, fields } = formOf(page)
    return this.visit(action, { method: 'POST', body: fields })
  }
}

// Where the first form of a page goes, and what is filled in.
export function formOf(page) {
  const [, attributes, content] = page.text.match(/<form([^>]*)>(.*?)<\/form>/s)
  const [, action] = attributes.match(/action="([^"]*)"/) ?? ['', '']
  const inputs = [...content.matchAll(/<input[^>]*>/gs)].map(([input]) => [
    input.match(/name="([^"]*)"/)[1],
    unescaped(input.match(/value="([^"]*)"/)[1]),
  ])
  return { action: new URL(unescaped(action), page.url), fields: new URLSearchParams(inputs) }
}

function unescaped(attribute) {
  return attribute.replaceAll('&amp;', '&')
}
